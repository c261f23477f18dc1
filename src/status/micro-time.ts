/** metav1.MicroTime: RFC 3339 with exactly six fraction digits; the API server refuses three. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z')
}

/** metav1.Time: RFC 3339 in whole seconds. */
export function wholeSecondTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z')
}
