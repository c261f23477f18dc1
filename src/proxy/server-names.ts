import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { messageOf } from '../errors.ts'
import { EMPTY_LIVE_TABLE, type LiveTable } from '../table/live-table.ts'
import type { ProxyLog } from './exchange.ts'

/** A certificate chain and its key, PEM. */
export interface KeyPair {
  readonly certificateChainPem: string
  readonly privateKeyPem: string
}

type CertificateTable = Pick<LiveTable, 'serverNames' | 'certificates' | 'secrets'>

interface CachedContext {
  readonly pair: KeyPair
  /** Absent: OpenSSL refused the pair. */
  readonly context: SecureContext | undefined
}

/**
 * Picks certificates by SNI (RFC 6066 §3): the exact name, else the wildcard whose star stands for the first label,
 * else the default. Contexts are made at their first handshake and kept over publishes while the certificate is the
 * same; open connections keep theirs.
 */
export class ServerNames {
  readonly #fallback: KeyPair
  readonly #log: ProxyLog
  readonly #contexts = new Map<string, CachedContext>()
  #table: CertificateTable = EMPTY_LIVE_TABLE

  /** @param fallback for names without a certificate where the table names no default */
  constructor(fallback: KeyPair, log: ProxyLog) {
    this.#fallback = fallback
    this.#log = log
  }

  /** Takes over the certificates of a snapshot. Whether the default is another one now. */
  publish(table: CertificateTable): boolean {
    const before = this.defaultPair
    this.#table = table
    for (const id of this.#contexts.keys()) {
      if (table.certificates.get(id) === undefined) this.#contexts.delete(id)
    }
    return !isSamePair(before, this.defaultPair)
  }

  /** For clients that send no server name, and for names without a certificate. */
  get defaultPair(): KeyPair {
    const id = this.#table.serverNames.get('')
    const pair = id === undefined ? undefined : this.#pair(id)
    return id !== undefined && pair !== undefined && this.#context(id, pair) !== undefined
      ? pair
      : this.#fallback
  }

  /** `undefined`: the default serves. */
  find(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase()
    const id =
      this.#table.serverNames.get(name) ??
      this.#table.serverNames.get(`*${name.slice(Math.max(name.indexOf('.'), 0))}`)
    const pair = id === undefined ? undefined : this.#pair(id)
    return id === undefined || pair === undefined ? undefined : this.#context(id, pair)
  }

  #pair(id: string): KeyPair | undefined {
    const certificate = this.#table.certificates.get(id)
    const privateKeyPem = certificate && this.#table.secrets.get(certificate.privateKey)
    if (certificate === undefined || privateKeyPem === undefined) return undefined
    return { certificateChainPem: certificate.certificateChainPem, privateKeyPem }
  }

  #context(id: string, pair: KeyPair): SecureContext | undefined {
    const cached = this.#contexts.get(id)
    if (cached !== undefined && isSamePair(cached.pair, pair)) return cached.context
    const context = this.#create(id, pair)
    this.#contexts.set(id, { pair, context })
    return context
  }

  #create(id: string, pair: KeyPair): SecureContext | undefined {
    try {
      return createSecureContext(secureContextOptions(pair))
    } catch (error) {
      this.#log.error({ certificate: id, error: messageOf(error) }, 'certificate refused; the default serves')
      return undefined
    }
  }
}

/** TLS 1.2 and above. */
export function secureContextOptions(pair: KeyPair): SecureContextOptions {
  return { cert: pair.certificateChainPem, key: pair.privateKeyPem, minVersion: 'TLSv1.2' }
}

function isSamePair(one: KeyPair, other: KeyPair): boolean {
  return one.certificateChainPem === other.certificateChainPem && one.privateKeyPem === other.privateKeyPem
}
