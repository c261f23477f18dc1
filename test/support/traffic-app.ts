import type { IncomingMessage, ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import type { ProxyServerOptions } from '../../src/proxy/proxy-server.ts'
import { clientCredentialsToken } from '../demo/okta.ts'
import { upstream } from '../proxy/support.ts'
import { ingress, oidcPlugin, service, yaml } from './manifests.ts'
import { startOstiary, type Ostiary } from './ostiary.ts'
import { rawRequest, type RawResponse } from './raw-http.ts'

/** A request as the upstream got it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

export interface TrafficAppOptions {
  /** Without the prefix. */
  readonly annotations?: Readonly<Record<string, string>>
  readonly path?: string
  /** Fields of a plugin before the route; absent: it is open. */
  readonly plugin?: object
  readonly objects?: readonly object[]
  readonly proxy?: Partial<ProxyServerOptions>
  /** What the upstream answers. Default: 200 and `hello`. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void
}

/** Ostiary before one upstream, at the host `app.test`. */
export interface TrafficApp {
  readonly ostiary: Ostiary
  /** Every request that reached the upstream. */
  readonly seen: Seen[]
  /** @param head the request line but for the version, as `GET /path` */
  send(head: string, headers?: Readonly<Record<string, string>>, body?: string): Promise<RawResponse>
  /** An access token that the plugin takes. */
  token(): Promise<string>
}

export const HOST = 'app.test'

/** Annotations of ours, with their prefix. */
export function ours(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`ostiary.dev/${name}`, value]),
  )
}

/** A request as text. */
export function requestText(
  head: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): string {
  const all = { Host: HOST, ...(body !== undefined && { 'Content-Length': String(body.length) }), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${head} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

export async function startTrafficApp(options: TrafficAppOptions = {}): Promise<TrafficApp> {
  const { annotations = {}, path = '/', plugin, objects = [], proxy = {}, answer } = options
  const seen: Seen[] = []
  const { port } = await upstream((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    if (answer === undefined) response.end('hello')
    else answer(request, response)
  })
  const server = plugin === undefined ? undefined : await authorizationServer()
  const guard =
    server === undefined
      ? []
      : [oidcPlugin('guard', { issuer: server.issuer, audience: ['api://default'], ...plugin })]
  const all = ours({ ...annotations, ...(server !== undefined && { plugins: 'guard' }) })
  const ostiary = await startOstiary(
    yaml(...service('echo', port), ...guard, ...objects, ingress({ host: HOST, path, annotations: all })),
    { proxy },
  )
  return {
    ostiary,
    seen,
    send: (head, headers, body) => rawRequest(ostiary.port, requestText(head, headers, body)),
    token: async () => (server === undefined ? '' : await clientCredentialsToken(server)),
  }
}

async function authorizationServer(): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer({ port: 0 })
  onTestFinished(() => server.close())
  return server
}
