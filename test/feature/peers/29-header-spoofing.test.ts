import { request as httpRequest } from 'node:http'
import { request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { clientCredentialsToken } from '../../demo/okta.ts'
import { startLoginApp, type Echoed } from '../../support/login-app.ts'
import { consumer, ingress, oidcPlugin, service, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'

/** Every header that some plugin may have Ostiary set, without a mapping of the plugin's own. */
const IDENTITY_HEADERS = [
  'X-Consumer-ID',
  'X-Consumer-Custom-ID',
  'X-Consumer-Username',
  'X-Consumer-Groups',
  'X-Anonymous-Consumer',
  'X-Credential-Identifier',
  'X-Authenticated-Groups',
  'X-Access-Token',
  'X-Id-Token',
  'X-Userinfo',
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Preferred-Username',
  'X-Auth-Request-Access-Token',
  'X-Auth-Request-Whatever-Comes-Next',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Access-Token',
]
const MAPPED = ['X-Role', 'X-My-Token', 'X-Introspected', 'X-My-User-Info', 'X-My-Id-Token']
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => name.toLowerCase().replaceAll('-', '_'),
  (name) => name.replace('-', '_'),
]

/** Sends a path as it is written. */
function statusAndBody(url: string, path: string): Promise<[status: number, body: string]> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { path, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve([response.statusCode ?? 0, body]))
    })
    sent.on('error', reject).end()
  })
}

async function echoed(
  url: string,
  headers: readonly string[],
): Promise<{ status: number; names: string[]; text: string }> {
  const { statusCode, body } = await request(url, { headers: [...headers] })
  const text = await body.text()
  const names = statusCode === 200 ? Object.keys((JSON.parse(text) as Echoed).headers) : []
  return { status: statusCode, names: names.map((name) => name.toLowerCase().replaceAll('_', '-')), text }
}

/** A login at `/app`, bearer tokens at `/api` whose plugin maps headers, and two open routes. */
async function startMappedRoutes(): Promise<{ url: string; token: string }> {
  const { ostiary, authorizationServer, apply } = await startLoginApp()
  const mapped = {
    issuer: authorizationServer.issuer,
    authMethods: ['bearer'],
    audience: ['api://default'],
    upstreamHeaders: [{ header: 'X_Role', path: ['absent'] }],
    upstreamAccessTokenHeader: 'X-My-Token',
    upstreamIntrospectionHeader: 'X-Introspected',
    upstreamUserInfoHeader: 'X-My-User-Info',
    upstreamIdTokenHeader: 'X-My-Id-Token',
    searchUserInfo: true,
    consumerClaims: [['nobody']],
    consumerOptional: true,
  }
  apply(
    {},
    oidcPlugin('api', mapped),
    consumer('admin', { username: 'admin', groups: ['root'] }),
    ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }),
    ingress({ name: 'public', path: '/public', annotations: { 'ostiary.dev/public': 'true' } }),
    ingress({ name: 'open', path: '/open' }),
  )
  return { url: ostiary.url, token: await clientCredentialsToken(authorizationServer) }
}

describe('peers 29: no header that Ostiary may set survives from a client', () => {
  test('on any route, in any spelling', async () => {
    const { url, token } = await startMappedRoutes()
    for (const spell of SPELLINGS) {
      const forged = [...IDENTITY_HEADERS, ...MAPPED].map((name) => [spell(name), 'forged'] as const)
      // Where tokens are looked for in that header too, two of them would be refused.
      const beside = forged.filter(([name]) => !/^x.access.token$/i.test(name))
      const own = [['authorization', `Bearer ${token}`]] as const
      const routes = [
        ['/public', forged, []],
        ['/open', forged, []],
        ['/api', [...own, ...beside], ['x-credential-identifier', 'x-my-token']],
      ] as const
      for (const [path, headers, set] of routes) {
        const { status, names, text } = await echoed(url + path, headers.flat())
        expect([path, forged[0], status]).toEqual([path, forged[0], 200])
        const ours = [...IDENTITY_HEADERS, ...MAPPED].map((name) => name.toLowerCase())
        expect([path, names.filter((name) => ours.includes(name)).toSorted()]).toEqual([path, set])
        expect(text).not.toContain('forged')
      }
    }
  })

  test('however often it is sent, or named as hop-by-hop', async () => {
    const { url } = await startMappedRoutes()
    const names = ['X-Consumer-Username', 'x-consumer-username', 'X-Consumer_Username']
    const twice = names.flatMap((name) => [name, 'forged', name, 'forged'])
    expect((await echoed(`${url}/public`, twice)).text).not.toContain('forged')
    const connection = await echoed(`${url}/public`, ['connection', 'x-consumer-username', ...twice])
    expect(connection.text).not.toContain('forged')
  })
})

describe('peers 29: nothing but the path decides which guard a request meets', () => {
  const BYPASSES: Readonly<Record<string, readonly string[]>> = {
    'X-Forwarded-Uri (GHSA-7x63-xv5r-3p2x)': ['x-forwarded-uri', '/public'],
    'X-Original-URL': ['x-original-url', '/public', 'x-original-uri', '/public', 'x-rewrite-url', '/public'],
    'a health check’s user agent (GHSA-5hvv-m4w4-gf6v)': ['user-agent', 'GoogleHC/1.0'],
    'a kubelet’s user agent': ['user-agent', 'kube-probe/1.36'],
    'a method override': ['x-http-method-override', 'OPTIONS', 'x-http-method', 'OPTIONS'],
    'another host’s name': ['x-forwarded-host', 'public.example.com', 'forwarded', 'host=public.example.com'],
    'a local client’s address': ['x-forwarded-for', '127.0.0.1', 'x-real-ip', '127.0.0.1'],
  }
  const PATHS = [
    '/app/../app',
    '/app/./',
    '/app/%2e%2e/app',
    '/%61pp',
    '/app?/public',
    '/app?x=/../public',
    '/app/%2e%2e/public',
    '/public/../app',
    '/public/%2e%2e/app',
    '/public/..;/app',
    '/public%2f..%2fapp',
    '//app',
    '/app#/public',
  ]

  async function startTwoRoutes(): Promise<string> {
    const echo = await startEcho({ port: 0 })
    onTestFinished(() => echo.close())
    const plugin = oidcPlugin('app', { issuer: 'http://127.0.0.1:1/', authMethods: ['bearer'] })
    const guarded = ingress({ path: '/app', annotations: { 'ostiary.dev/plugins': 'app' } })
    const open = ingress({ name: 'public', path: '/public' })
    return (await startOstiary(yaml(...service('echo', echo.port), plugin, guarded, open))).url
  }

  test('no header opens a guarded route', async () => {
    const url = await startTwoRoutes()
    for (const [name, headers] of Object.entries(BYPASSES)) {
      expect([name, (await echoed(`${url}/app`, headers)).status]).toEqual([name, 401])
      expect([name, (await echoed(`${url}/public`, headers)).status]).toEqual([name, 200])
    }
  })

  test('no spelling of a path does', async () => {
    const url = await startTwoRoutes()
    for (const path of PATHS) {
      const [status, text] = await statusAndBody(url, path)
      expect([path, [400, 401, 404].includes(status)]).toEqual([path, true])
      expect([path, text.includes('"proto"')]).toEqual([path, false])
    }
  })
})
