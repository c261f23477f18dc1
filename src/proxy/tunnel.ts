import type { Socket } from 'node:net'
import type { Timers } from '../clock.ts'

/** TCP asks a quiet peer whether it is still there: a silent WebSocket is no error, a vanished one must not stay. */
const KEEP_ALIVE_MS = 60_000

/** How long a side that is to finish alone may go without moving a byte. */
const LINGER_MS = 30_000

/** Bytes that a tunnel has carried. */
export interface TunnelBytes {
  readonly fromClient: number
  readonly toClient: number
}

/**
 * Two sockets that exchange bytes with back-pressure, both ways. An end passes through and leaves the other direction
 * open (RFC 9293 §3.6); when one side is gone the other gets what was read for it, and then goes too.
 */
export class Tunnel {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #timers: Timers
  readonly #onClosed: (bytes: TunnelBytes) => void
  readonly #readBefore: number
  readonly #writtenBefore: number
  #open = 2
  #stopLingering: (() => void) | undefined

  /** @param onClosed called once, when both sockets are closed */
  constructor(client: Socket, upstream: Socket, timers: Timers, onClosed: (bytes: TunnelBytes) => void) {
    this.#client = client
    this.#upstream = upstream
    this.#timers = timers
    this.#onClosed = onClosed
    this.#readBefore = client.bytesRead - client.readableLength
    this.#writtenBefore = client.bytesWritten
  }

  open(): void {
    this.#join(this.#client, this.#upstream)
    this.#join(this.#upstream, this.#client)
  }

  /** Cuts both sides; what is on its way to them is lost. */
  close(): void {
    this.#client.destroy()
    this.#upstream.destroy()
  }

  #join(from: Socket, to: Socket): void {
    from.allowHalfOpen = true
    from.setTimeout(0).setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
    from.on('error', () => from.destroy())
    from.once('end', () => this.#linger())
    from.once('close', () => {
      to.destroySoon()
      this.#linger()
      this.#closed()
    })
    from.pipe(to)
  }

  #closed(): void {
    this.#open -= 1
    if (this.#open > 0) return
    this.#stopLingering?.()
    this.#onClosed({
      fromClient: this.#client.bytesRead - this.#readBefore,
      toClient: this.#client.bytesWritten - this.#writtenBefore,
    })
  }

  #linger(): void {
    if (this.#stopLingering !== undefined) return
    const before = this.#progress()
    this.#stopLingering = this.#timers.after(LINGER_MS, () => {
      this.#stopLingering = undefined
      if (this.#progress() === before) this.close()
      else this.#linger()
    })
  }

  /** Grows with every byte that is read or sent. */
  #progress(): number {
    const [client, upstream] = [this.#client, this.#upstream]
    return client.bytesRead + upstream.bytesRead - client.writableLength - upstream.writableLength
  }
}
