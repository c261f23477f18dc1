import { connect as connectTls, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const

export type Field = readonly [name: string, value: string]

/** What became of a stream, or of the whole connection. */
export interface StreamEnd {
  readonly status?: number
  /** Error code of RST_STREAM, where that came before the end of the response. */
  readonly reset?: number
  /** Error code of GOAWAY; -1 where the connection was closed without one. */
  readonly goaway?: number
}

interface Stream {
  status: number | undefined
  end: StreamEnd | undefined
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const STATUS_INDEX = [200, 204, 206, 304, 400, 404, 500]
const DIGITS: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 10 }, (_, i) => [
    i < 3 ? i.toString(2).padStart(5, '0') : (0x16 + i).toString(2).padStart(6, '0'),
    String(i),
  ]),
)

/** A client that sends the frames that it is told to (RFC 9113), with field sections of literals alone (RFC 7541 §6.2.2). */
export class RawHttp2Client {
  readonly socket: TLSSocket
  readonly #streams = new Map<number, Stream>()
  #received: Buffer = Buffer.alloc(0)
  #goaway: number | undefined
  #wake: (() => void)[] = []
  pongs = 0
  settingsAcks = 0

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#read()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#goaway ??= -1
      this.#notify()
    })
  }

  static async open(port: number): Promise<RawHttp2Client> {
    const socket = connectTls({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false })
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    onTestFinished(() => void socket.destroy())
    const client = new RawHttp2Client(socket)
    socket.write(PREFACE)
    client.frame(FRAME.settings, 0, 0)
    return client
  }

  frame(type: number, flags: number, id: number, payload: Buffer | string = ''): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
    const head = Buffer.alloc(9)
    head.writeUIntBE(bytes.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(id, 5)
    if (this.socket.writable) this.socket.write(Buffer.concat([head, bytes]))
  }

  headers(id: number, fields: readonly Field[], flags: number = FLAG.endStream | FLAG.endHeaders): void {
    this.frame(FRAME.headers, flags, id, fieldSection(fields))
  }

  /** How a stream, or the connection before it, ends. */
  async end(id: number): Promise<StreamEnd> {
    for (;;) {
      const end = this.#stream(id).end
      if (end !== undefined) return end
      if (this.socket.destroyed) return { goaway: this.#goaway ?? -1 }
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  /** The error code of GOAWAY, once the connection is closed; -1 where there was none. */
  async closed(): Promise<number> {
    while (!this.socket.destroyed) await new Promise<void>((resolve) => this.#wake.push(resolve))
    return this.#goaway ?? -1
  }

  #stream(id: number): Stream {
    let stream = this.#streams.get(id)
    if (stream === undefined) this.#streams.set(id, (stream = { status: undefined, end: undefined }))
    return stream
  }

  #read(): void {
    while (this.#received.length >= 9) {
      const length = this.#received.readUIntBE(0, 3)
      if (this.#received.length < 9 + length) return
      const [type, flags] = [this.#received.readUInt8(3), this.#received.readUInt8(4)]
      const id = this.#received.readUInt32BE(5)
      const payload = this.#received.subarray(9, 9 + length)
      this.#received = this.#received.subarray(9 + length)
      this.#take(type, flags, id, payload)
      this.#notify()
    }
  }

  #take(type: number, flags: number, id: number, payload: Buffer): void {
    const stream = this.#stream(id)
    if (type === FRAME.settings) {
      if ((flags & FLAG.ack) === 0) this.frame(FRAME.settings, FLAG.ack, 0)
      else this.settingsAcks += 1
    } else if (type === FRAME.ping) this.pongs += 1
    else if (type === FRAME.goaway) this.#goaway = payload.readUInt32BE(4)
    else if (type === FRAME.reset) stream.end ??= { ...given(stream), reset: payload.readUInt32BE(0) }
    else if (type === FRAME.headers) stream.status ??= statusOf(payload)
    if ((type === FRAME.headers || type === FRAME.data) && (flags & FLAG.endStream) !== 0) {
      stream.end ??= given(stream)
    }
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

export function fieldSection(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([length(bytes.length), bytes])
}

function length(size: number): Buffer {
  if (size < 127) return Buffer.of(size)
  const bytes = [127]
  for (let rest = size - 127; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}

function given({ status }: Stream): StreamEnd {
  return status === undefined ? {} : { status }
}

/** Of the first field, which is `:status`: out of the static table, or a literal in Huffman's code. */
function statusOf(section: Buffer): number {
  const start = (section[0] ?? 0) >> 5 === 1 ? 1 : 0
  const first = section[start] ?? 0
  if (first >= 0x88 && first <= 0x8e) return STATUS_INDEX[first - 0x88] ?? 0
  const size = (section[start + 1] ?? 0) & 127
  const value = section.subarray(start + 2, start + 2 + size)
  if (((section[start + 1] ?? 0) & 128) === 0) return Number(value.toString('latin1'))
  let [digits, code] = ['', '']
  for (const bit of [...value].map((byte) => byte.toString(2).padStart(8, '0')).join('')) {
    code += bit
    const digit = DIGITS[code]
    if (digit === undefined) continue
    digits += digit
    code = ''
    if (digits.length === 3) break
  }
  return Number(digits)
}
