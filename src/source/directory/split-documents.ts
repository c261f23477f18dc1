/** One document of a stream, with the 1-based line that it begins at. */
export interface DocumentText {
  readonly text: string
  readonly line: number
}

/** Nothing but blank lines, comments and directives. */
const EMPTY = /^((---)?\s*(#.*)?|%.*)$/

/**
 * Splits a YAML stream at its `---` lines, before anything is parsed: at the beginning of a line they end a document
 * whatever stands before them (YAML 1.2 §9.1.2, c-forbidden), so a quote that is never closed breaks its own document
 * alone. Documents without content are left out.
 */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = []
  let lines: string[] = []
  let start = 1
  const end = (nextStart: number): void => {
    if (lines.some((line) => !EMPTY.test(line))) documents.push({ text: lines.join('\n'), line: start })
    lines = []
    start = nextStart
  }
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^---(\s|$)/.test(line)) end(index + 1)
    lines.push(line)
  }
  end(0)
  return documents
}
