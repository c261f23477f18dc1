import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { messageOf } from '../errors.ts'
import { EMPTY_LIVE_TABLE, type LiveTable } from '../table/live-table.ts'
import type { ClientAuthorities } from '../table/routing-table.ts'
import { findCertificateId } from '../table/server-name.ts'
import type { ProxyLog } from './exchange.ts'

/** A certificate chain and its key, PEM. */
export interface KeyPair {
  readonly certificateChainPem: string
  readonly privateKeyPem: string
}

/** What all TLS is like, whatever the name. */
export interface TlsSettings {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Clients that offer it get HTTP/2. Default: they do. */
  readonly http2?: boolean
}

export const TLS_SETTINGS: TlsSettings = { minVersion: 'TLSv1.2' }

export const HANDSHAKE_TIMEOUT_MS = 10_000

/** What is spoken over TLS, the preferred first (RFC 7301). */
export function protocolsOf({ http2 = true }: TlsSettings): string[] {
  return http2 ? ['h2', 'http/1.1'] : ['http/1.1']
}

/** TLS 1.3, and of TLS 1.2 what has forward secrecy and authenticates what it encrypts (RFC 9325 §4.2). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

type CertificateTable = Pick<LiveTable, 'serverNames' | 'certificates' | 'secrets'>

interface CachedContext {
  readonly pair: KeyPair
  /** Absent: OpenSSL refused the pair. */
  readonly context: SecureContext | undefined
  /** That ask for client certificates, by the id of the authorities. */
  readonly asking: Map<string, SecureContext | undefined>
}

/**
 * Picks certificates by SNI (RFC 6066 §3): the exact name, else the wildcard whose star stands for the first label,
 * else the default. Contexts are made at their first handshake and kept over publishes while the certificate is the
 * same; open connections keep theirs.
 */
export class ServerNames {
  readonly settings: TlsSettings
  readonly #fallback: KeyPair
  readonly #log: ProxyLog
  readonly #contexts = new Map<string, CachedContext>()
  #table: CertificateTable = EMPTY_LIVE_TABLE

  /** @param fallback for names without a certificate where the table names no default */
  constructor(fallback: KeyPair, log: ProxyLog, settings: TlsSettings = TLS_SETTINGS) {
    this.settings = settings
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

  /**
   * `undefined`: the default serves.
   *
   * @param authorities Whose client certificates are asked for: what is asked for goes by the context, too.
   */
  find(serverName: string, authorities?: ClientAuthorities): SecureContext | undefined {
    const id = findCertificateId(this.#table.serverNames, serverName)
    const pair = id === undefined ? undefined : this.#pair(id)
    return id === undefined || pair === undefined ? undefined : this.#context(id, pair, authorities)
  }

  #pair(id: string): KeyPair | undefined {
    const certificate = this.#table.certificates.get(id)
    const privateKeyPem = certificate && this.#table.secrets.get(certificate.privateKey)
    if (certificate === undefined || privateKeyPem === undefined) return undefined
    return { certificateChainPem: certificate.certificateChainPem, privateKeyPem }
  }

  #context(id: string, pair: KeyPair, authorities?: ClientAuthorities): SecureContext | undefined {
    const cached = this.#cached(id, pair)
    if (authorities === undefined || cached.context === undefined) return cached.context
    const { asking } = cached
    if (asking.has(authorities.id)) return asking.get(authorities.id)
    if (asking.size >= MAXIMUM_ASKING) asking.clear()
    const context = this.#create(id, mutualTlsOptions(pair, authorities, this.settings))
    asking.set(authorities.id, context)
    return context
  }

  #cached(id: string, pair: KeyPair): CachedContext {
    const cached = this.#contexts.get(id)
    if (cached !== undefined && isSamePair(cached.pair, pair)) return cached
    const context = this.#create(id, secureContextOptions(pair, this.settings))
    const made: CachedContext = { pair, context, asking: new Map() }
    this.#contexts.set(id, made)
    return made
  }

  #create(id: string, options: SecureContextOptions): SecureContext | undefined {
    try {
      return createSecureContext(options)
    } catch (error) {
      this.#log.error({ certificate: id, error: messageOf(error) }, 'certificate refused; the default serves')
      return undefined
    }
  }
}

/** Of one certificate has been served with so many authorities at most; further ones are made anew. */
const MAXIMUM_ASKING = 64

/** Without renegotiation, which could name another server (RFC 9325 §3.5). */
export function secureContextOptions(pair: KeyPair, { minVersion }: TlsSettings): SecureContextOptions {
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION
  return {
    cert: pair.certificateChainPem,
    key: pair.privateKeyPem,
    minVersion,
    ciphers: CIPHERS,
    secureOptions,
  }
}

/** For servers that ask for client certificates: an authority need not be a root, and no session is resumed. */
export function mutualTlsOptions(
  pair: KeyPair,
  { caPem, crlPem }: ClientAuthorities,
  settings: TlsSettings,
): SecureContextOptions {
  return {
    ...secureContextOptions(pair, settings),
    ca: caPem,
    ...(crlPem !== undefined && { crl: crlPem }),
    allowPartialTrustChain: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
  }
}

function isSamePair(one: KeyPair, other: KeyPair): boolean {
  return one.certificateChainPem === other.certificateChainPem && one.privateKeyPem === other.privateKeyPem
}
