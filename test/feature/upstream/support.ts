import { createServer, type RequestListener } from 'node:http'
import {
  createSecureServer,
  createServer as createHttp2Server,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { onTestFinished } from 'vitest'
import { ingress, yaml } from '../../support/manifests.ts'
import { RawClient, type RawResponse } from '../../support/raw-http.ts'

const PREFIX = 'ostiary.dev/'

type Annotations = Readonly<Record<string, string>>

/** Annotations by their names without the prefix. */
export function ours(annotations: Annotations): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`${PREFIX}${name}`, value]))
}

/** A Service with an endpoint on each of these ports of this machine. */
export function serviceOn(name: string, ports: readonly number[], annotations: Annotations = {}): object[] {
  const slices = ports.map((port) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-${port}`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'] }],
    ports: [{ name: 'http', port }],
  }))
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, annotations: ours(annotations) },
      spec: { ports: [{ name: 'http', port: 80 }] },
    },
    ...slices,
  ]
}

/** The Service `web` on these ports, and an Ingress of `app.example` before it. */
export function manifests(
  ports: readonly number[],
  onService: Annotations = {},
  onIngress: Annotations = {},
): string {
  return yaml(
    ...serviceOn('web', ports, onService),
    ingress({ host: 'app.example', service: 'web', annotations: ours(onIngress) }),
  )
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
  })
  return (server.address() as AddressInfo).port
}

export async function httpUpstream(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  onTestFinished(() => server.closeAllConnections())
  return listening(server)
}

export async function httpsUpstream(options: ServerOptions, listener: RequestListener): Promise<number> {
  const server = createHttpsServer(options, listener)
  server.on('tlsClientError', () => {})
  onTestFinished(() => server.closeAllConnections())
  return listening(server)
}

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** HTTP/2 with prior knowledge, or, with `tls`, over TLS. */
export async function http2Upstream(
  onStream: OnStream,
  tls?: SecureServerOptions,
): Promise<{ port: number; sessions: Set<ServerHttp2Session> }> {
  const server: Http2Server | Http2SecureServer =
    tls === undefined ? createHttp2Server() : createSecureServer(tls)
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    onStream(stream, headers)
  })
  server.on('sessionError', () => {})
  onTestFinished(() => {
    for (const session of sessions) session.destroy()
  })
  return { port: await listening(server), sessions }
}

/** One request on a connection of its own, whole. */
export async function send(port: number, text: string): Promise<RawResponse> {
  const client = await RawClient.open(port)
  client.write(text)
  const response = await client.response({ withoutBody: text.startsWith('HEAD ') })
  client.close()
  return response
}

export function get(headers: Annotations = {}, method = 'GET'): string {
  const lines = Object.entries({ Host: 'app.example', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `${method} / HTTP/1.1\r\n${lines.join('')}\r\n`
}
