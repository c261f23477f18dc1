import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'

/** A response as its bytes say. */
export interface RawResponse {
  readonly status: number
  /** Names in lower case; repeated ones joined by a line feed. */
  readonly headers: Readonly<Record<string, string>>
  readonly head: string
  readonly body: string
}

/** A client that writes exactly what it is told and reads one response after another. */
export class RawClient {
  readonly socket: Socket
  #received = ''
  #ended = false
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.#received += chunk
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#wake?.()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#wake?.()
    })
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawClient(socket)
  }

  static async openTls(options: ConnectionOptions): Promise<RawClient> {
    const socket: TLSSocket = connectTls({ host: '127.0.0.1', rejectUnauthorized: false, ...options })
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return new RawClient(socket)
  }

  write(text: string | Buffer): void {
    this.socket.write(text, 'latin1')
  }

  /** Everything received and not yet taken by `response`. */
  get pending(): string {
    return this.#received
  }

  async until(condition: (received: string) => boolean): Promise<void> {
    while (!condition(this.#received)) {
      if (this.#ended) throw new Error(`connection ended; received: ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when the server has closed the connection, with what it sent until then. */
  async closed(): Promise<string> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#received
  }

  /** The next response. `withoutBody` for answers to HEAD. */
  async response(options: { readonly withoutBody?: boolean } = {}): Promise<RawResponse> {
    await this.until((text) => text.includes('\r\n\r\n'))
    const end = this.#received.indexOf('\r\n\r\n')
    const head = this.#received.slice(0, end)
    this.#received = this.#received.slice(end + 4)
    const headers = readHeaders(head)
    const status = Number(head.slice(9, 12))
    const bodiless = options.withoutBody === true || status < 200 || status === 204 || status === 304
    const body = bodiless ? '' : await this.#body(headers)
    return { status, headers, head, body }
  }

  async #body(headers: Readonly<Record<string, string>>): Promise<string> {
    const length = headers['content-length']
    if (length !== undefined) {
      const size = Number(length)
      await this.until((text) => text.length >= size)
      return this.take(size)
    }
    if (headers['transfer-encoding'] !== 'chunked') return this.closed()
    let body = ''
    for (;;) {
      await this.until((text) => text.includes('\r\n'))
      const line = this.#received.indexOf('\r\n')
      const size = Number.parseInt(this.#received.slice(0, line), 16)
      if (size === 0) {
        await this.until((text) => text.includes('\r\n\r\n'))
        this.take(this.#received.indexOf('\r\n\r\n') + 4)
        return body
      }
      await this.until((text) => text.length >= line + 2 + size + 2)
      body += this.#received.slice(line + 2, line + 2 + size)
      this.take(line + 2 + size + 2)
    }
  }

  /** Takes so many characters off what was received. */
  take(size: number): string {
    const taken = this.#received.slice(0, size)
    this.#received = this.#received.slice(size)
    return taken
  }

  close(): void {
    this.socket.destroy()
  }
}

function readHeaders(head: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}\n${value}`
  }
  return headers
}

/** One request on a connection of its own. */
export async function rawRequest(port: number, text: string): Promise<RawResponse> {
  const client = await RawClient.open(port)
  client.write(text)
  const response = await client.response({ withoutBody: text.startsWith('HEAD ') })
  client.close()
  return response
}
