const NOT_PRINTABLE = /[^\x20-\x7e]+/g

/** Another party's words, fit for a terminal: printable ASCII, and no more than 200 characters. */
export function printable(text: string): string {
  return text.replaceAll(NOT_PRINTABLE, ' ').slice(0, 200)
}
