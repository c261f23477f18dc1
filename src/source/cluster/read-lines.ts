import { OstiaryError } from '../../errors.ts'

/** Twice what etcd takes, twice more for JSON's escapes. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * Splits a stream of bytes into its complete lines. What follows the last newline is half a line, cut off by the end
 * of the stream, and is reported instead.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when a line is longer than 8 MiB.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  halfLine: () => void,
): AsyncGenerator<string, void, undefined> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)]).toString('utf8')
      pending = []
      pendingBytes = 0
      start = end + 1
      if (line.trim() !== '') yield line
    }
    if (start === chunk.length) continue
    pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > MAX_LINE_BYTES) {
      throw new OstiaryError('ERR_SOURCE_UNAVAILABLE', 'the API server sent a watch event of more than 8 MiB')
    }
  }
  if (pendingBytes > 0) halfLine()
}
