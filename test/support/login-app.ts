import { onTestFinished } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../deploy/demo/authorization-server/registration.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import type { CompileResult } from '../../src/compiler/options.ts'
import { ingress, oidcPlugin, secret, service, yaml } from './manifests.ts'
import { startOstiary, type Ostiary, type OstiaryOptions } from './ostiary.ts'
import { WebBrowser } from './web-browser.ts'

/** An application at `/app` behind a login, and an authorization server that knows it. */
export interface LoginApp {
  readonly ostiary: Ostiary
  readonly authorizationServer: AuthorizationServer
  readonly browser: WebBrowser
  /** Applies the plugin with other fields, and more objects beside. */
  readonly apply: (spec?: object, ...objects: readonly object[]) => CompileResult
}

export interface LoginAppOptions extends OstiaryOptions {
  readonly server?: Partial<AuthorizationServerOptions>
  /** Paths of redirect URIs that are registered beside `/oauth2/callback`. */
  readonly redirectPaths?: readonly string[]
}

/** What the echo upstream answers. */
export interface Echoed {
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, readonly string[]>>
}

export const POST_LOGOUT_PATH = '/bye'

/** Starts it on free ports; it is gone when the test is. */
export async function startLoginApp(
  spec: object | ((url: string) => object) = {},
  options: LoginAppOptions = {},
): Promise<LoginApp> {
  const { server, redirectPaths = [], ...ostiaryOptions } = options
  const ostiary = await startOstiary('', ostiaryOptions)
  const origins = [ostiary.url]
  if (ostiary.httpsPort !== undefined) origins.push(`https://127.0.0.1:${ostiary.httpsPort}`)
  const paths = ['/oauth2/callback', ...redirectPaths]
  const clients = DEMO_CLIENTS.map((each) =>
    each.clientId === 'ostiary'
      ? {
          ...each,
          redirectUris: origins.flatMap((origin) => paths.map((path) => origin + path)),
          postLogoutRedirectUris: [ostiary.url + POST_LOGOUT_PATH],
        }
      : each,
  )
  const authorizationServer = await startAuthorizationServer({ port: 0, clients, ...server })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const given = typeof spec === 'function' ? spec(ostiary.url) : spec
  function apply(changed: object = {}, ...objects: readonly object[]): CompileResult {
    const plugin = oidcPlugin('app', {
      issuer: authorizationServer.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
      scopes: ['openid', 'profile', 'email'],
      ...given,
      ...changed,
    })
    return ostiary.apply(
      yaml(
        ...service('echo', echo.port),
        secret('client', { clientSecret: 'ostiary-secret' }),
        plugin,
        ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } }),
        ...objects,
      ),
    )
  }
  apply()
  return { ostiary, authorizationServer, browser: new WebBrowser(ostiary.url), apply }
}
