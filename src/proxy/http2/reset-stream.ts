import type { ServerHttp2Stream } from 'node:http2'
import { addAbortSignal } from 'node:stream'

/**
 * Ends a stream with RST_STREAM (RFC 9113 §6.4). Not by `close`, which ends what was written before it resets: half a
 * response would pass for the whole.
 */
export function resetStream(stream: ServerHttp2Stream, reason: 'cancel' | 'internal error'): void {
  if (stream.destroyed) return
  // node:http2 takes the code from the error that a stream is destroyed with.
  if (reason === 'cancel') addAbortSignal(AbortSignal.abort(), stream)
  else stream.destroy(new Error('the response broke off'))
}
