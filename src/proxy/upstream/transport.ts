import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { buildConnector, type Pool } from 'undici'
import type { UpstreamSettings, UpstreamTls } from '../../table/upstream-settings.ts'

/** Milliseconds each. */
export interface UpstreamTimeouts {
  /** Until the connection stands. Default 10 s. */
  readonly connectMs: number
  /** From the end of the request to the response's headers. Default 60 s; bodies have no time-out. */
  readonly headersMs: number
  /** How long an idle connection is kept. Default 4 s, below what servers usually keep theirs. */
  readonly keepAliveMs: number
}

export const UPSTREAM_TIMEOUTS: UpstreamTimeouts = {
  connectMs: 10_000,
  headersMs: 60_000,
  keepAliveMs: 4_000,
}

/** Streams of one HTTP/2 connection at once; a server may allow less. */
const STREAMS_PER_CONNECTION = 100

const HTTP1_OPTIONS: Pool.Options = { allowH2: false, pipelining: 1 }

// `pipelining` counts while no connection stands: with 1, the request after a GOAWAY would wait until the last stream of
// the connection before is over, which for a gRPC stream may be never.
const HTTP2_OPTIONS: Pool.Options = {
  allowH2: true,
  pipelining: STREAMS_PER_CONNECTION,
  h2Options: { maxConcurrentStreams: STREAMS_PER_CONNECTION },
}

/** How connections to the endpoints of an upstream are made. */
export interface Transport {
  /** Equal where connections are alike; says nothing of secrets. */
  readonly key: string
  readonly scheme: 'http' | 'https'
  /** HTTP/2 alone is spoken. */
  readonly http2: boolean
  /** Asked for and verified; where absent there is no TLS. */
  readonly serverName?: string
  readonly options: Pool.Options
  /** Requests that an endpoint carries at once. */
  readonly maximumActive: number
  readonly maximumPending: number
  /** How long a request may wait for an endpoint that carries less. */
  readonly pendingMs: number
}

/** Finds a secret of the snapshot. */
export type SecretLookup = (id: string) => string | undefined

/** HTTP/1.1 in the clear, with the defaults. */
export function plainTransport(timeouts: UpstreamTimeouts): Transport {
  return {
    key: '',
    scheme: 'http',
    http2: false,
    options: { ...commonOptions(timeouts), ...HTTP1_OPTIONS },
    maximumActive: Number.POSITIVE_INFINITY,
    maximumPending: 0,
    pendingMs: timeouts.connectMs,
  }
}

/** @param owner Whose connections are counted, where they are: pools that are limited are not shared. */
export function createTransport(
  settings: UpstreamSettings,
  owner: string,
  defaults: UpstreamTimeouts,
  secret: SecretLookup,
): Transport {
  const { protocol, tls, maxConnections, maxPendingRequests = 0 } = settings
  const http2 = protocol !== 'HTTP' && protocol !== 'HTTPS'
  const connectMs = settings.connectTimeoutMs ?? defaults.connectMs
  // A gRPC stream may be silent for as long as it likes; its client sets the deadline.
  const headersMs = protocol.startsWith('GRPC') ? 0 : defaults.headersMs
  const options: Pool.Options = {
    ...commonOptions({ ...defaults, connectMs, headersMs }),
    ...(http2 ? HTTP2_OPTIONS : HTTP1_OPTIONS),
    ...(maxConnections !== undefined && { connections: maxConnections }),
    ...(http2 && tls === undefined && { useH2c: true }),
    ...(tls !== undefined && { connect: tlsConnector(tls, http2, connectMs, secret) }),
  }
  return {
    key: keyOf(settings, owner, secret),
    scheme: tls === undefined ? 'http' : 'https',
    http2,
    ...(tls !== undefined && { serverName: tls.serverName }),
    options,
    maximumActive: (maxConnections ?? Number.POSITIVE_INFINITY) * (http2 ? STREAMS_PER_CONNECTION : 1),
    maximumPending: maxPendingRequests,
    pendingMs: connectMs,
  }
}

function commonOptions(timeouts: UpstreamTimeouts): Pool.Options {
  return {
    connectTimeout: timeouts.connectMs,
    headersTimeout: timeouts.headersMs,
    // A quiet stream is no error: events and long polls may pause for as long as they like.
    bodyTimeout: 0,
    keepAliveTimeout: timeouts.keepAliveMs,
    maxHeaderSize: 65_536,
  }
}

function tlsConnector(
  tls: UpstreamTls,
  http2: boolean,
  timeout: number,
  secret: SecretLookup,
): buildConnector.connector {
  const { certificateAuthorities: ca, clientCertificate, insecureSkipVerify } = tls
  const connect = buildConnector({
    allowH2: http2,
    preferH2: http2,
    timeout,
    servername: tls.serverName,
    rejectUnauthorized: !insecureSkipVerify,
    ...(ca !== undefined && { ca }),
    ...(clientCertificate !== undefined && {
      cert: clientCertificate.certificateChainPem,
      key: secret(clientCertificate.privateKey) ?? '',
    }),
  })
  return http2 ? requiringHttp2(connect) : connect
}

/** A server that knows no HTTP/2 would be spoken to in HTTP/1.1, where gRPC means something else. */
function requiringHttp2(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null)
      if ((socket as Socket & Partial<TLSSocket>).alpnProtocol === 'h2') return callback(null, socket)
      socket.destroy()
      callback(new Error('the upstream negotiates no HTTP/2'), null)
    })
}

function keyOf(settings: UpstreamSettings, owner: string, secret: SecretLookup): string {
  const { maxConnections, tls } = settings
  const privateKey = tls?.clientCertificate && (secret(tls.clientCertificate.privateKey) ?? '')
  const parts = [settings, maxConnections === undefined ? '' : owner, privateKey ?? '']
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
