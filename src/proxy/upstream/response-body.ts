import { ServerResponse } from 'node:http'
import type { ClientResponse } from '../client-message.ts'

/**
 * A beginning of so many bytes waits for the end of this turn. With the header block it still fits into what node's
 * streams write from the stack.
 */
const HELD_BYTES = 8192

/**
 * The body of an upstream's response on its way to the client. Whatever has come is with the kernel at the end of the turn
 * in which it came: header fields alone too, where no body came with them, as with server-sent events.
 *
 * A body that came in one piece goes out with its fields as one string, in one write: 4.7 µs less CPU than the two
 * buffers of `writev`, of 58 for a guarded request.
 */
export class ResponseBody {
  readonly #response: ClientResponse
  #held: Buffer | undefined
  /** Something of the response was written. */
  #flushed = false

  /** @param response Its head is given, but not written. */
  constructor(response: ClientResponse) {
    this.#response = response
    process.nextTick(flush, this)
  }

  /** Whether the client takes more at once. */
  write(chunk: Buffer): boolean {
    if (!this.#flushed && this.#held === undefined && chunk.length <= HELD_BYTES) {
      this.#held = chunk
      return true
    }
    this.#release()
    return this.#response.write(chunk)
  }

  end(trailers: readonly [string, string][]): void {
    const held = this.#held
    this.#held = undefined
    this.#flushed = true
    if (trailers.length > 0) this.#response.addTrailers(trailers)
    if (held === undefined) this.#response.end()
    else endWith(this.#response, held)
  }

  /** Whether more is known of the response or not, it goes out. */
  flush(): void {
    if (this.#flushed) return
    if (this.#held === undefined) this.#response.flushHeaders()
    this.#release()
  }

  #release(): void {
    this.#flushed = true
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#response.write(held)
  }
}

// One function for all responses instead of a closure for each.
function flush(body: ResponseBody): void {
  body.flush()
}

function endWith(response: ClientResponse, body: Buffer): void {
  if (response instanceof ServerResponse) {
    // Every byte is one character, and comes out as the same byte.
    response.end(body.toString('latin1'), 'latin1')
    return
  }
  response.write(body)
  response.end()
}
