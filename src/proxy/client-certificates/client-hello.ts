/** What the beginning of a TLS connection says of the server's name. */
export type ClientHello =
  | { readonly kind: 'read'; readonly serverName: string }
  /** Not before there are so many bytes. */
  | { readonly kind: 'incomplete'; readonly neededBytes: number }
  /** No ClientHello, or one that breaks its own lengths: the TLS library shall say so to the client. */
  | { readonly kind: 'unreadable' }

const HANDSHAKE_RECORD = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const HOST_NAME = 0
const RECORD_HEADER_BYTES = 5
const MAXIMUM_FRAGMENT_BYTES = 16_384
/** Far above any real one: those with post-quantum key shares have about 2 KiB. */
const MAXIMUM_BYTES = 16_384
/** Who spreads it over more makes work. */
const MAXIMUM_RECORDS = 64

const UNREADABLE: ClientHello = { kind: 'unreadable' }

/**
 * Reads the server name of a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3); empty where it has none. The message may be
 * spread over records. Only the way to a server is chosen by this: what that one reads and asks for is what counts.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = handshakeMessage(bytes)
  if (!(message instanceof Reader)) return message
  try {
    // Version, random, session, cipher suites, compression methods.
    message.skip(34)
    message.vector(1)
    message.vector(2)
    message.vector(1)
    return { kind: 'read', serverName: message.isAtEnd ? '' : serverNameIn(message.vector(2)) }
  } catch (error) {
    if (error instanceof RangeError) return UNREADABLE
    throw error
  }
}

/** The body of the first message, once all of it is there. */
function handshakeMessage(bytes: Buffer): Reader | ClientHello {
  const fragments: Buffer[] = []
  let length = 0
  for (let at = 0; at < MAXIMUM_BYTES && fragments.length < MAXIMUM_RECORDS;) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE_RECORD) return UNREADABLE
    if (bytes.length < at + RECORD_HEADER_BYTES) return incomplete(at + RECORD_HEADER_BYTES)
    const size = bytes.readUInt16BE(at + 3)
    if (size === 0 || size > MAXIMUM_FRAGMENT_BYTES) return UNREADABLE
    at += RECORD_HEADER_BYTES
    if (bytes.length < at + size) return incomplete(at + size)
    fragments.push(bytes.subarray(at, at + size))
    at += size
    length += size
    const whole = length < 4 ? undefined : wholeMessage(fragments, length)
    if (whole !== undefined) return whole
  }
  return UNREADABLE
}

function wholeMessage(fragments: Buffer[], length: number): Reader | ClientHello | undefined {
  const [first] = fragments
  const message = fragments.length === 1 && first !== undefined ? first : Buffer.concat(fragments)
  if (message[0] !== CLIENT_HELLO) return UNREADABLE
  const end = 4 + message.readUIntBE(1, 3)
  if (end > MAXIMUM_BYTES) return UNREADABLE
  return length < end ? undefined : new Reader(message.subarray(4, end))
}

function incomplete(neededBytes: number): ClientHello {
  return { kind: 'incomplete', neededBytes }
}

function serverNameIn(extensions: Reader): string {
  while (!extensions.isAtEnd) {
    const type = extensions.number(2)
    const extension = extensions.vector(2)
    if (type !== SERVER_NAME) continue
    const names = extension.vector(2)
    return names.number(1) === HOST_NAME ? names.vector(2).text() : ''
  }
  return ''
}

/** Reads one thing after another. @throws {RangeError} Where there is less than its length says. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  skip(size: number): void {
    if (this.#at + size > this.#bytes.length) throw new RangeError('too short')
    this.#at += size
  }

  number(size: 1 | 2): number {
    this.skip(size)
    return this.#bytes.readUIntBE(this.#at - size, size)
  }

  /** What is preceded by its length in so many bytes. */
  vector(lengthSize: 1 | 2): Reader {
    const length = this.number(lengthSize)
    this.skip(length)
    return new Reader(this.#bytes.subarray(this.#at - length, this.#at))
  }

  text(): string {
    return this.#bytes.toString('latin1')
  }
}
