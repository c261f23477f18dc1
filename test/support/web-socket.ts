import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { RawClient, RawResponse } from './raw-http.ts'

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Sec-WebSocket-Accept (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64')
}

/** A handshake as browsers send it. */
export function handshake(
  target: string,
  host: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const fields = {
    Host: host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** A text frame of up to 65,535 bytes (RFC 6455 §5.2); clients mask theirs. */
export function textFrame(text: string, from: 'client' | 'server'): Buffer {
  const payload = Buffer.from(text)
  const masked = from === 'client' ? 0x80 : 0
  const head =
    payload.length < 126
      ? Buffer.from([0x81, masked | payload.length])
      : Buffer.from([0x81, masked | 126, payload.length >> 8, payload.length & 0xff])
  if (masked === 0) return Buffer.concat([head, payload])
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, xor(payload, mask)])
}

/** Takes whole frames off the front: their payloads, and the bytes that are left. */
export function readFrames(bytes: Buffer): { readonly texts: string[]; readonly rest: Buffer } {
  const texts: string[] = []
  let rest = bytes
  for (;;) {
    if (rest.length < 2) return { texts, rest }
    const short = (rest[1] ?? 0) & 0x7f
    const isMasked = ((rest[1] ?? 0) & 0x80) !== 0
    const lengthEnd = short === 126 ? 4 : 2
    if (rest.length < lengthEnd) return { texts, rest }
    const length = short === 126 ? rest.readUInt16BE(2) : short
    const start = lengthEnd + (isMasked ? 4 : 0)
    if (rest.length < start + length) return { texts, rest }
    const payload = rest.subarray(start, start + length)
    texts.push((isMasked ? xor(payload, rest.subarray(lengthEnd, start)) : payload).toString())
    rest = rest.subarray(start + length)
  }
}

/** The client's end of a WebSocket, over a connection that was upgraded. */
export class WebSocketClient {
  readonly raw: RawClient
  readonly response: RawResponse

  constructor(raw: RawClient, response: RawResponse) {
    this.raw = raw
    this.response = response
  }

  /**
   * Shakes hands.
   *
   * @throws Error where the answer is not 101
   */
  static async open(raw: RawClient, request: string): Promise<WebSocketClient> {
    raw.write(request)
    const response = await raw.response()
    if (response.status !== 101) throw new Error(`no WebSocket: ${response.head}\n${response.body}`)
    return new WebSocketClient(raw, response)
  }

  /** Nobody has closed it yet. */
  get isOpen(): boolean {
    const { destroyed, readableEnded } = this.raw.socket
    return !destroyed && !readableEnded
  }

  /** Sends a text and gives the one that comes back. */
  async echo(text: string): Promise<string> {
    this.raw.write(textFrame(text, 'client'))
    return this.next()
  }

  /** The next text. */
  async next(): Promise<string> {
    const whole = (): ReturnType<typeof readFrames> => readFrames(Buffer.from(this.raw.pending, 'latin1'))
    await this.raw.until(() => whole().texts.length > 0)
    const { texts, rest } = whole()
    if (texts.length > 1) throw new Error('read one by one, please')
    this.raw.take(this.raw.pending.length - rest.length)
    return texts[0] ?? ''
  }
}

export interface WebSocketUpstream {
  readonly port: number
  /** The requests that were upgraded. */
  readonly requests: readonly IncomingMessage[]
  /** Their sockets. */
  readonly sockets: readonly Socket[]
  /** Texts that were received. */
  readonly texts: readonly string[]
}

/** Upgrades whatever asks for it and sends every text back; answers `ordinary` to other requests. */
export async function startWebSocketUpstream(): Promise<WebSocketUpstream> {
  const requests: IncomingMessage[] = []
  const sockets: Socket[] = []
  const all: string[] = []
  const server = createServer((request, response) => {
    response.end(JSON.stringify({ ordinary: request.headers }))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    requests.push(request)
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Upstream: echo\r\n' +
        `Sec-WebSocket-Accept: ${acceptOf(request.headers['sec-websocket-key'] ?? '')}\r\n\r\n`,
    )
    let received = Buffer.alloc(0)
    const take = (chunk: Buffer): void => {
      const { texts, rest } = readFrames(Buffer.concat([received, chunk]))
      received = Buffer.from(rest)
      for (const text of texts) {
        all.push(text)
        socket.write(textFrame(text, 'server'))
      }
    }
    take(head)
    socket.on('data', take)
    socket.on('end', () => socket.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return { port: (server.address() as AddressInfo).port, requests, sockets, texts: all }
}

function xor(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
}
