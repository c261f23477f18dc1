/**
 * What the beginning of a TLS connection says of the server's name. `unreadable`: no ClientHello, or one that breaks its
 * own lengths; the TLS library shall say so to the client.
 */
export type ClientHello = 'incomplete' | 'unreadable' | { readonly serverName: string }

const HANDSHAKE_RECORD = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const HOST_NAME = 0
const RECORD_HEADER_BYTES = 5
const MAXIMUM_FRAGMENT_BYTES = 16_384
/** Far above any real one: those with post-quantum key shares have about 2 KiB. */
const MAXIMUM_BYTES = 65_536

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
    return { serverName: message.isAtEnd ? '' : serverNameIn(message.vector(2)) }
  } catch (error) {
    if (error instanceof RangeError) return 'unreadable'
    throw error
  }
}

/** The body of the first message, once all of it is there. */
function handshakeMessage(bytes: Buffer): Reader | 'incomplete' | 'unreadable' {
  const fragments: Buffer[] = []
  let length = 0
  let needed = 4
  for (let at = 0; length < needed;) {
    if (at > MAXIMUM_BYTES) return 'unreadable'
    if (bytes.length > at && bytes[at] !== HANDSHAKE_RECORD) return 'unreadable'
    if (bytes.length < at + RECORD_HEADER_BYTES) return 'incomplete'
    const size = bytes.readUInt16BE(at + 3)
    if (size === 0 || size > MAXIMUM_FRAGMENT_BYTES) return 'unreadable'
    at += RECORD_HEADER_BYTES
    const fragment = bytes.subarray(at, at + size)
    fragments.push(fragment)
    length += fragment.length
    if (length >= 4 && needed === 4) {
      const head = Buffer.concat(fragments)
      if (head[0] !== CLIENT_HELLO) return 'unreadable'
      needed = 4 + head.readUIntBE(1, 3)
      if (needed > MAXIMUM_BYTES) return 'unreadable'
    }
    if (fragment.length < size && length < needed) return 'incomplete'
    at += size
  }
  return new Reader(Buffer.concat(fragments).subarray(4, needed))
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
