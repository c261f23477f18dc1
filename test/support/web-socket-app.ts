import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../deploy/demo/authorization-server/registration.ts'
import { ingress, oidcPlugin, secret, service, yaml } from './manifests.ts'
import { ManualTimers } from './manual-timers.ts'
import { startOstiary, type Ostiary, type OstiaryOptions } from './ostiary.ts'
import { RawClient } from './raw-http.ts'
import { WebBrowser } from './web-browser.ts'
import { handshake, startWebSocketUpstream, WebSocketClient, type WebSocketUpstream } from './web-socket.ts'

/** A chat at `/app` behind a plugin, on instances of Ostiary that share a clock and the keys of sessions. */
export interface WebSocketApp {
  readonly timers: ManualTimers
  readonly ostiaries: readonly Ostiary[]
  readonly authorizationServer: AuthorizationServer
  readonly upstream: WebSocketUpstream
  readonly browser: WebBrowser
  /** Applies the plugin with other fields, to all instances. */
  apply(spec?: object): void
  /** Applies exactly these objects beside the chat's Service, to all instances. */
  applyOnly(...objects: readonly object[]): void
  /** What a WebSocket's page sends from its own origin with the browser's cookies, to the first instance. */
  headers(browser?: WebBrowser): Record<string, string>
  /** @throws Error where the answer is not 101 */
  open(headers?: Readonly<Record<string, string>>): Promise<WebSocketClient>
  /** The status of a handshake. */
  status(headers?: Readonly<Record<string, string>>, target?: string): Promise<number>
  /** Lets time pass second by second; each time whoever is judged has been judged before it goes on. */
  pass(seconds: number, ...watched: readonly WebSocketClient[]): Promise<void>
}

export interface WebSocketAppOptions {
  readonly spec?: object
  readonly instances?: number
  readonly ostiary?: OstiaryOptions
}

/** Starts it on free ports; it is gone when the test is. */
export async function startWebSocketApp(options: WebSocketAppOptions = {}): Promise<WebSocketApp> {
  // The authorization server goes by the system's clock.
  const timers = new ManualTimers(Date.now())
  const shared = { clock: timers, timers, sessionKey: randomBytes(32).toString('base64url') }
  const count = options.instances ?? 1
  const ostiaries = await Promise.all(
    Array.from({ length: count }, () => startOstiary('', { ...shared, ...options.ostiary })),
  )
  const { url, port } = ostiaries[0]!
  const redirectUris = [`${url}/oauth2/callback`]
  const clients = DEMO_CLIENTS.map((each) => (each.clientId === 'ostiary' ? { ...each, redirectUris } : each))
  const authorizationServer = await startAuthorizationServer({ port: 0, clients })
  onTestFinished(() => authorizationServer.close())
  const upstream = await startWebSocketUpstream()
  const browser = new WebBrowser(url)

  function applyOnly(...objects: readonly object[]): void {
    const text = yaml(...service('echo', upstream.port), ...objects)
    for (const ostiary of ostiaries) ostiary.apply(text)
  }
  function apply(changed: object = {}): void {
    applyOnly(
      secret('client', { clientSecret: 'ostiary-secret' }),
      oidcPlugin('app', {
        issuer: authorizationServer.issuer,
        clientId: 'ostiary',
        clientSecretRef: { name: 'client' },
        scopes: ['openid', 'profile', 'email', 'offline_access'],
        // The authorization server stays behind when the clock is put forward.
        leeway: 86_400,
        ...options.spec,
        ...changed,
      }),
      ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
    )
  }
  apply()

  const headers = (from = browser): Record<string, string> => {
    const cookie = from.jar.header(new URL(url))
    return { Origin: url, ...(cookie !== '' && { Cookie: cookie }) }
  }
  const request = (sent: Readonly<Record<string, string>>, target = '/app/chat'): string =>
    handshake(target, `127.0.0.1:${port}`, sent)

  return {
    timers,
    ostiaries,
    authorizationServer,
    upstream,
    browser,
    apply,
    applyOnly,
    headers,
    async open(sent = headers()) {
      const raw = await RawClient.open(port)
      onTestFinished(() => raw.close())
      return WebSocketClient.open(raw, request(sent))
    },
    async status(sent = headers(), target) {
      const raw = await RawClient.open(port)
      raw.write(request(sent, target))
      const { status } = await raw.response()
      raw.close()
      return status
    },
    async pass(seconds, ...watched) {
      const before = timers.pending
      const isSettled = (): boolean => timers.pending >= before || watched.some(({ isOpen }) => !isOpen)
      for (let i = 0; i < seconds; i += 1) {
        timers.advance(1000)
        while (!isSettled()) await setImmediate()
      }
    },
  }
}
