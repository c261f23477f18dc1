import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../deploy/demo/authorization-server/registration.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { ManualClock } from './manual-clock.ts'
import { ingress, oidcPlugin, secret, service, yaml } from './manifests.ts'
import { startOstiary, type Ostiary } from './ostiary.ts'
import { WebBrowser } from './web-browser.ts'

/** Several instances of Ostiary with one clock, one set of session keys and the same manifests. */
export interface Replicas {
  readonly clock: ManualClock
  readonly authorizationServer: AuthorizationServer
  readonly ostiaries: readonly Ostiary[]
  /** Signs in at the first of them. */
  readonly browser: WebBrowser
  /** Applies the plugin with other fields on all of them. */
  apply(spec?: object, ...objects: readonly object[]): void
}

/**
 * Starts them before an application at `/app`, whose logins ask for a refresh token, and another at `/admins`, for the
 * group Engineering; they are gone when the test is.
 */
export async function startReplicas(
  count: number,
  spec: object = {},
  server: Partial<AuthorizationServerOptions> = {},
): Promise<Replicas> {
  // The authorization server goes by the system's clock.
  const clock = new ManualClock(Date.now())
  const sessionKey = randomBytes(32).toString('base64url')
  const ostiaries = await Promise.all(
    Array.from({ length: count }, () => startOstiary('', { clock, sessionKey })),
  )
  const [first] = ostiaries
  if (first === undefined) throw new TypeError('at least one')
  const redirectUris = [`${first.url}/oauth2/callback`]
  const clients = DEMO_CLIENTS.map((each) => (each.clientId === 'ostiary' ? { ...each, redirectUris } : each))
  const authorizationServer = await startAuthorizationServer({ port: 0, clients, ...server })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  function apply(changed: object = {}, ...objects: readonly object[]): void {
    const fields = {
      issuer: authorizationServer.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      // The authorization server stays behind when the clock is put forward.
      leeway: 30 * 86_400,
      sessionIdlingTimeout: 7200,
      sessionRollingTimeout: 14_400,
      ...spec,
      ...changed,
    }
    const manifests = yaml(
      ...service('echo', echo.port),
      secret('client', { clientSecret: 'ostiary-secret' }),
      oidcPlugin('app', fields),
      oidcPlugin('admins', { ...fields, groupsRequired: ['Engineering'] }),
      ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
      ingress({ name: 'admins', path: '/admins', annotations: { 'ostiary.dev/plugins': 'admins' } }),
      ingress({ name: 'open', path: '/open', annotations: { 'ostiary.dev/public': 'true' } }),
      ...objects,
    )
    for (const ostiary of ostiaries) ostiary.apply(manifests)
  }
  apply()
  return { clock, authorizationServer, ostiaries, browser: new WebBrowser(first.url), apply }
}

/** The request that the browser would make now, of whichever replica it reaches. */
export function askAll(
  { ostiaries, browser }: Replicas,
  requests: number,
  path = '/app',
): Promise<readonly Response[]> {
  const cookie = browser.jar.header(new URL(browser.origin))
  return Promise.all(
    Array.from({ length: requests }, (_, index) => {
      const { url } = ostiaries[index % ostiaries.length]!
      return browser.send(url + path, {
        headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', cookie },
      })
    }),
  )
}

/** How often an endpoint's refresh was asked for. */
export function refreshes({ authorizationServer }: Replicas): number {
  return authorizationServer.faults.calls.filter(
    ({ endpoint, parameters }) => endpoint === 'token' && parameters['grant_type'] === 'refresh_token',
  ).length
}
