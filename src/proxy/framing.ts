import { IncomingMessage } from 'node:http'

/** Why the bytes behind a request cannot be trusted: it is answered so, and its connection is closed. */
export interface FramingRefusal {
  readonly status: 400 | 501
  readonly message: string
}

const UPGRADE = /(?:^|,)[\t ]*upgrade[\t ]*(?:,|$)/i
const CHUNKED_LAST = /(?:^|,)[\t ]*chunked$/

/**
 * What node:http lets pass although two servers could disagree on where the request ends. Without `chunked` as the
 * last coding nobody knows (RFC 9112 §6.3); codings before it would be lost, as the upstream gets the body, but no
 * Transfer-Encoding (§6.1). HTTP/1.0 knows no chunks: a proxy of that age counts none, whatever node:http makes of them.
 * `HTTP/2.0` and `HTTP/0.9` in a request line are no HTTP/1.
 *
 * @returns Nothing where the request may go on.
 */
export function refusalOfFraming(
  request: Pick<IncomingMessage, 'headers' | 'httpVersionMajor' | 'httpVersionMinor'>,
): FramingRefusal | undefined {
  if (request.httpVersionMajor !== 1 && request instanceof IncomingMessage) {
    return { status: 400, message: 'This is no valid HTTP/1.1 request.' }
  }
  const coding = request.headers['transfer-encoding']?.toLowerCase()
  if (coding === undefined) return undefined
  if (request.httpVersionMinor === 0 && request.httpVersionMajor === 1) {
    return { status: 400, message: 'HTTP/1.0 has no transfer codings.' }
  }
  if (coding === 'chunked') return undefined
  return CHUNKED_LAST.test(coding)
    ? { status: 501, message: 'The transfer coding is not supported.' }
    : { status: 400, message: 'The transfer coding does not say where the body ends.' }
}

/**
 * Whether a request asks for another protocol (RFC 9110 §7.8). Behind one that is not taken up node:http drops what came
 * in the same piece, and takes the next piece, which may be the middle of a stranger's request, for the beginning of one.
 */
export function asksForUpgrade({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.upgrade !== undefined && UPGRADE.test(headers.connection ?? '')
}
