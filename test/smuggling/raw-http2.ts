import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

/** Names and values in turn, a character for each byte, as they go into a HEADERS frame. */
export type RawFields = readonly (readonly [name: string, value: string])[]

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const GOAWAY = 7
const END_STREAM = 1
const END_HEADERS = 4
const ACK = 1
const STATIC_STATUS: ReadonlyMap<number, number> = new Map([
  [0x88, 200],
  [0x8b, 304],
  [0x8c, 400],
  [0x8d, 404],
  [0x8e, 500],
])

/** How a stream ended. */
export interface StreamEnd {
  /** Its status, where it had one of the static table or a literal one. */
  readonly status?: number
  /** It, or the whole connection, was broken off by the server. */
  readonly isReset: boolean
}

/** A client of HTTP/2 that sends what it is told, well-formed or not: node:http2 would refuse to. */
export class RawHttp2Client {
  readonly #socket: TLSSocket
  readonly #ended = Promise.withResolvers<StreamEnd>()
  #received = Buffer.alloc(0)
  #status: number | undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#read()
    })
    socket.on('error', () => {}).on('close', () => this.#ended.resolve({ isReset: true }))
    socket.write(PREFACE)
    this.#frame(SETTINGS, 0, 0, Buffer.alloc(0))
  }

  static async open(port: number): Promise<RawHttp2Client> {
    const options = { servername: 'example.com', ALPNProtocols: ['h2'], rejectUnauthorized: false }
    const socket = connect({ host: '127.0.0.1', port, ...options })
    await once(socket, 'secureConnect')
    if (socket.alpnProtocol !== 'h2') throw new Error('the server does not speak HTTP/2')
    return new RawHttp2Client(socket)
  }

  /** Sends stream 1: its fields, pieces of its body, and trailers. The last of them ends it. */
  async ask(fields: RawFields, body: readonly string[] = [], trailers?: RawFields): Promise<StreamEnd> {
    const endsWithFields = body.length === 0 && trailers === undefined
    this.#frame(HEADERS, END_HEADERS | (endsWithFields ? END_STREAM : 0), 1, encode(fields))
    for (const [index, piece] of body.entries()) {
      const isLast = trailers === undefined && index === body.length - 1
      this.#frame(DATA, isLast ? END_STREAM : 0, 1, Buffer.from(piece, 'latin1'))
    }
    if (trailers !== undefined) this.#frame(HEADERS, END_HEADERS | END_STREAM, 1, encode(trailers))
    return this.#ended.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    this.#socket.write(Buffer.concat([head, payload]))
  }

  #read(): void {
    for (;;) {
      if (this.#received.length < 9) return
      const length = this.#received.readUIntBE(0, 3)
      if (this.#received.length < 9 + length) return
      const [type = 0, flags = 0] = this.#received.subarray(3, 5)
      const stream = this.#received.readUInt32BE(5)
      const payload = this.#received.subarray(9, 9 + length)
      this.#received = this.#received.subarray(9 + length)
      this.#take(type, flags, stream, payload)
    }
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === SETTINGS && (flags & ACK) === 0) this.#frame(SETTINGS, ACK, 0, Buffer.alloc(0))
    if (type === GOAWAY || (type === RST_STREAM && stream === 1)) this.#end(true)
    if (stream !== 1) return
    if (type === HEADERS) this.#status ??= STATIC_STATUS.get(payload[0] ?? 0)
    if ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0) this.#end(false)
  }

  #end(isReset: boolean): void {
    this.#ended.resolve({ isReset, ...(this.#status !== undefined && { status: this.#status }) })
  }
}

/** Literal fields that nobody need remember (RFC 7541 §6.2.2), without Huffman's code: every byte gets there. */
function encode(fields: RawFields): Buffer {
  const parts = fields.flatMap(([name, value]) => [Buffer.from([0]), ...text(name), ...text(value)])
  return Buffer.concat(parts)
}

function text(value: string): Buffer[] {
  const bytes = Buffer.from(value, 'latin1')
  return [integer(bytes.length), bytes]
}

/** With a prefix of seven bits (RFC 7541 §5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value])
  const bytes = [127]
  let rest = value - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}
