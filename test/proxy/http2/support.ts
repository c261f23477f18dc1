import { once } from 'node:events'
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Authorizer } from '../../../src/auth/authorize.ts'
import type { Timers } from '../../../src/clock.ts'
import { createDefaultCertificate } from '../../../src/proxy/default-certificate.ts'
import type { ProxyServerOptions } from '../../../src/proxy/proxy-server.ts'
import type { KeyPair } from '../../../src/proxy/server-names.ts'
import type { Snapshot } from '../../../src/table/routing-table.ts'
import { noAuthorizer, proxy, type RunningProxy } from '../support.ts'

let fallback: KeyPair | undefined

/** A proxy that listens with TLS alone. */
export async function httpsProxy(
  snapshot: Snapshot,
  options: Partial<ProxyServerOptions> = {},
  timers?: Timers,
  authorizer: Authorizer = noAuthorizer,
): Promise<RunningProxy & { readonly https: number }> {
  fallback ??= await createDefaultCertificate(new Date())
  const https = { https: { host: '127.0.0.1', port: 0 }, defaultCertificate: fallback, ...options }
  const running = await proxy(snapshot, https, authorizer, timers)
  return { ...running, https: running.https ?? 0 }
}

/** A connection of HTTP/2; gone when the test is. */
export async function open(port: number, options: ConnectionOptions = {}): Promise<ClientHttp2Session> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    servername: 'example.com',
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ...options,
  })
  const session = connect('https://example.com', { createConnection: () => socket })
  session.on('error', () => {})
  onTestFinished(() => session.destroy())
  await once(session, 'connect')
  return session
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly trailers: IncomingHttpHeaders | undefined
  readonly body: string
}

/** One request, whole. Rejects where the stream is reset. */
export async function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | readonly string[] = {},
  body?: string | Buffer,
): Promise<Answer> {
  const stream = request(session, headers, body === undefined)
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

/** Begins a request; `endStream`: it has no body. */
export function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | readonly string[] = {},
  endStream = true,
): ClientHttp2Stream {
  const stream = session.request(isList(headers) ? headers : { ':authority': 'example.com', ...headers }, {
    endStream,
  })
  // Who waits is told.
  stream.on('error', () => {})
  return stream
}

function isList(headers: OutgoingHttpHeaders | readonly string[]): headers is readonly string[] {
  return Array.isArray(headers)
}

/** @throws what reset the stream */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let trailers: IncomingHttpHeaders | undefined
  stream.once('trailers', (fields: IncomingHttpHeaders) => {
    trailers = fields
  })
  const chunks: Buffer[] = []
  const [headers] = (await once(stream, 'response')) as [Answer['headers']]
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (!stream.closed || stream.rstCode !== 0) await once(stream, 'close')
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`)
  return { status: headers[':status'] ?? 0, headers, trailers, body: Buffer.concat(chunks).toString() }
}
