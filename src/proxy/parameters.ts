/**
 * Takes parameters out of an urlencoded query (without `?`) or body and leaves every other byte as it was. Names are
 * compared as `URLSearchParams` decodes them, so that no spelling of a name that was read stays behind.
 */
export function withoutParameters(encoded: string, names: readonly string[]): string {
  return names.length === 0
    ? encoded
    : encoded
        .split('&')
        .filter((parameter) => !names.includes(nameOf(parameter)))
        .join('&')
}

function nameOf(parameter: string): string {
  const [first] = new URLSearchParams(parameter)
  return first?.[0] ?? ''
}
