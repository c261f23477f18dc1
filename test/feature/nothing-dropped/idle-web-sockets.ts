import { expect, onTestFinished } from 'vitest'
import { RawClient } from '../../support/raw-http.ts'
import { handshake, WebSocketClient } from '../../support/web-socket.ts'

/** WebSockets on which nothing is said until the end. */
export class IdleWebSockets {
  readonly clients: readonly WebSocketClient[]

  private constructor(clients: readonly WebSocketClient[]) {
    this.clients = clients
  }

  static async open(port: number, host: string, count = 100): Promise<IdleWebSockets> {
    const clients = await Promise.all(
      Array.from({ length: count }, async () => {
        const raw = await RawClient.open(port)
        onTestFinished(() => raw.close())
        return WebSocketClient.open(raw, handshake('/chat', host))
      }),
    )
    return new IdleWebSockets(clients)
  }

  get open(): number {
    return this.clients.filter(({ isOpen }) => isOpen).length
  }

  /** Every one is open, and carries a text there and back. */
  async expectAlive(): Promise<void> {
    expect(this.open).toBe(this.clients.length)
    const echoes = await Promise.all(this.clients.map((client, index) => client.echo(`text ${index}`)))
    expect(echoes).toEqual(this.clients.map((_, index) => `text ${index}`))
  }
}
