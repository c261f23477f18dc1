import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../deploy/demo/authorization-server/authorization-server.ts'
import { createAuthorizationServerClient } from '../../src/auth/authorization-server/create-authorization-server-client.ts'
import { systemClock } from '../../src/clock.ts'
import type { RequestWords } from '../../src/explain/question.ts'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { basic, clientCredentialsToken } from '../demo/okta.ts'
import { authority, caSecret } from '../support/client-certificates.ts'
import { certificateFor, tlsSecret, withTls } from '../support/certificates.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'
import { answered, explained, FORWARDED, predicted, resourcesOf, type Pair } from './differential.ts'

const HOST = 'app.test'

function at(path: string, annotations: Record<string, string>, host = HOST): object {
  const ours = Object.entries(annotations).map(([name, value]) => [`ostiary.dev/${name}`, value])
  const name = `${host}${path}`.replaceAll(/[^a-z]+/g, '-').replaceAll(/^-+|-+$/g, '')
  return ingress({ name, host, path, annotations: Object.fromEntries(ours) as Record<string, string> })
}

function manifestsOf(issuer: string, port: number): object[] {
  const client = { clientId: 'ostiary', clientSecretRef: { name: 'client' } }
  const audience = ['api://default']
  return [
    ...service('echo', port),
    ...service('away', port).slice(0, 1),
    secret('client', { clientSecret: 'ostiary-secret' }),
    oidcPlugin('all', { issuer, ...client, audience }),
    oidcPlugin('strict', { issuer, authMethods: ['bearer'], audience, scopesRequired: ['never'] }),
    oidcPlugin('other', { issuer: 'http://127.0.0.1:9/other', authMethods: ['bearer'], audience }),
    oidcPlugin('clients', { issuer, authMethods: ['client_credentials'], audience, scopes: ['orders.read'] }),
    at('/api', { plugins: 'all' }),
    at('/clients', { plugins: 'clients' }),
    at('/strict', { plugins: 'strict' }),
    at('/other', { plugins: 'other' }),
    at('/groups', { plugins: 'all', 'allow-groups': 'nobody' }),
    at('/missing', { plugins: 'not-there' }),
    at('/typo', { plugin: 'all' }),
    at('/open', { public: 'true' }),
    at('/networks', { public: 'true', 'allow-source-range': '10.0.0.0/8' }),
    at('/cors', { plugins: 'all', 'cors-allow-origin': 'https://a.test' }),
    at('/moved', { public: 'true', 'permanent-redirect': 'https://elsewhere.test/' }),
    at('/rewrite', { public: 'true', 'rewrite-pattern': '/rewrite/([a-z]+)', 'rewrite-target': '/$1' }),
    at('/https', { public: 'true', 'ssl-redirect': 'true' }),
    at('/slashes', { public: 'true', 'allow-encoded-slash': 'true', 'allow-double-slash': 'true' }),
    ingress({ name: 'away', host: HOST, path: '/away', service: 'away' }),
    at('/', { public: 'true' }, '*.wild.test'),
    at('/', { plugins: 'not-there' }, 'pending.test'),
  ]
}

async function start(): Promise<Pair & { readonly token: string }> {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  onTestFinished(() => authorizationServer.close())
  const upstream = createServer((_request, response) => response.writeHead(FORWARDED).end()).listen(
    0,
    '127.0.0.1',
  )
  onTestFinished(() => void upstream.close())
  await new Promise((resolve) => upstream.once('listening', resolve))
  const { port } = upstream.address() as AddressInfo
  const ca = await authority('clients')
  const mutual = { 'ostiary.dev/client-ca-secret': 'clients' }
  const manifests = yaml(
    ...manifestsOf(authorizationServer.issuer, port),
    caSecret('clients', { 'ca.crt': ca.certificateChainPem }),
    tlsSecret('mutual', await certificateFor('mutual.test')),
    withTls(ingress({ name: 'mutual', host: 'mutual.test', annotations: mutual }), 'mutual', 'mutual.test'),
  )
  const authorizationServers = createAuthorizationServerClient({
    clock: systemClock,
    allowLoopback: true,
    userAgent: 'ostiary-test',
  })
  onTestFinished(() => authorizationServers.close())
  const ostiary = await startOstiary(manifests, {
    proxy: {
      https: { host: '127.0.0.1', port: 0 },
      defaultCertificate: await createDefaultCertificate(new Date()),
    },
  })
  const token = await clientCredentialsToken(authorizationServer)
  return { ostiary, resources: resourcesOf(manifests), authorizationServers, token }
}

const PAGE = 'Accept: text/html'
const PREFLIGHT = ['Access-Control-Request-Method: GET']

function get(path: string, ...headers: readonly string[]): RequestWords {
  return { url: `https://${HOST}${path}`, headers }
}

function requests(token: string): (RequestWords & { readonly status: number })[] {
  const bearer = `Authorization: Bearer ${token}`
  const basicOf = (secretText: string): string =>
    `Authorization: ${Object.values(basic('orders-service', secretText)).join('')}`
  return [
    { ...get('/open'), status: FORWARDED },
    { ...get('/open/a?b=c'), method: 'POST', status: FORWARDED },
    { ...get('/openly'), status: 404 },
    { ...get('/'), status: 404 },
    { url: 'https://nobody.test/', status: 404 },
    { url: 'https://a.wild.test/', status: FORWARDED },
    { url: 'https://b.a.wild.test/', status: 404 },
    { url: 'https://127.0.0.1/', status: 404 },
    { ...get('/api'), status: 401 },
    { ...get('/api', PAGE), status: 302 },
    { ...get('/api', PAGE), method: 'POST', status: 401 },
    { ...get('/api', 'Sec-Fetch-Mode: cors', PAGE), status: 401 },
    { ...get('/api', bearer), status: FORWARDED },
    { ...get('/api', `${bearer}x`), status: 401 },
    { ...get('/api', 'Authorization: Bearer opaque'), status: 401 },
    { ...get('/clients', basicOf('orders-secret')), status: FORWARDED },
    { ...get('/clients', basicOf('wrong')), status: 401 },
    { ...get('/api', basicOf('wrong')), status: 401 },
    { ...get('/api', bearer, 'Access-Token: other'), status: 400 },
    { ...get('/api'), method: 'TRACE', status: 405 },
    { ...get('/api'), method: 'OPTIONS', status: 401 },
    { ...get('/api', 'Origin: https://b.test', ...PREFLIGHT), method: 'OPTIONS', status: FORWARDED },
    { ...get('/cors', 'Origin: https://a.test', ...PREFLIGHT), method: 'OPTIONS', status: 204 },
    { ...get('/cors', 'Origin: https://b.test', ...PREFLIGHT), method: 'OPTIONS', status: 403 },
    { ...get('/strict', bearer), status: 403 },
    { ...get('/other', bearer), status: 401 },
    { ...get('/groups', bearer), status: 403 },
    { ...get('/missing'), status: 503 },
    { ...get('/typo'), status: 503 },
    { ...get('/away'), status: 503 },
    { ...get('/networks'), status: 403 },
    { ...get('/moved'), status: 308 },
    { ...get('/rewrite/abc'), status: FORWARDED },
    { ...get('/rewrite/123'), status: 404 },
    { ...get('/https'), status: FORWARDED },
    { url: `http://${HOST}/https`, status: 308 },
    { ...get('/open/../api'), status: 400 },
    { ...get('/open%2fapi'), status: 404 },
    { ...get('/open/%2e%2e/api'), status: 400 },
    { ...get('/open//a'), status: 400 },
    { ...get('/slashes//a'), status: FORWARDED },
    { ...get('/open/%zz'), status: 400 },
    { ...get('/oauth2/start', PAGE), status: 302 },
    { ...get('/oauth2/start'), status: 401 },
    { ...get('/oauth2/callback?code=a&state=b'), status: 400 },
    { ...get('/oauth2/auth'), status: 401 },
    { ...get('/oauth2/userinfo'), status: 401 },
    { ...get('/oauth2/sign_out'), status: 200 },
    { url: 'https://pending.test/oauth2/callback', status: 503 },
    { ...get('/open', 'Host: app.test', 'Host: app.test'), status: 400 },
    { ...get('/open', 'Host: not a host'), status: 400 },
    { ...get('/open'), method: 'CONNECT', status: 405 },
    { ...get('/open', 'Upgrade: h2c', 'Connection: Upgrade'), status: FORWARDED },
    { ...get('/api', 'Upgrade: websocket', 'Connection: Upgrade', PAGE), status: 401 },
    { ...get('/open', 'Expect: something'), status: 417 },
    { url: 'https://mutual.test/', status: 403 },
    { url: 'https://mutual.test/', headers: ['Host: app.test'], status: 421 },
    { ...get('/', 'Host: mutual.test'), status: 421 },
    { url: 'http://mutual.test/', status: 308 },
    { ...get(`/${'a'.repeat(17_000)}`), status: 414 },
    { ...get('/open', ...Array.from({ length: 120 }, (_, index) => `X-${index}: a`)), status: 431 },
  ]
}

test('what is predicted is what the real one answers', async () => {
  const pair = await start()
  for (const { status, ...words } of requests(pair.token)) {
    const { method = 'GET', url, headers = [] } = words
    const name = `${method} ${url.slice(0, 60)} ${headers.join(' ').slice(0, 60)}`
    const explanation = await explained(pair, words)
    expect.soft([name, predicted(explanation)]).toEqual([name, status])
    expect.soft([name, await answered(pair, words)]).toEqual([name, status])
    expect.soft(JSON.stringify(explanation)).not.toContain(pair.token.slice(-40))
  }
})

const SEGMENTS =
  'open api rewrite https slashes oauth2 callback start missing moved . .. %2e %2F %61 a;b %00 % OPEN \u00e9'.split(
    ' ',
  )
const segment = fc.constantFrom('', ...SEGMENTS)
const words = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE', 'PROPFIND', 'get'),
  url: fc
    .tuple(
      fc.constantFrom('http', 'https'),
      fc.constantFrom(
        HOST,
        'APP.test.',
        `${HOST}:8443`,
        'x.wild.test',
        'pending.test',
        'mutual.test',
        '[::1]',
      ),
      fc.array(segment, { maxLength: 3 }),
      fc.constantFrom('', '?', '?a=b', '?access_token=x', '?code=a&state=b'),
    )
    .map(([scheme, host, path, query]) => `${scheme}://${host}/${path.join('/')}${query}`),
  headers: fc.subarray(
    [
      PAGE,
      'Authorization: Bearer x',
      'Authorization: Basic eDp5',
      'Host: app.test',
      'Cookie: a=b',
      'Origin: https://a.test',
      'Sec-Fetch-Mode: navigate',
      'Access-Control-Request-Method: GET',
      'X-Forwarded-Proto: https',
      'Upgrade: websocket',
      'Content-Type: application/x-www-form-urlencoded',
    ],
    { maxLength: 4 },
  ),
})

test('whatever is asked, the prediction holds', async () => {
  const pair = await start()
  await fc.assert(
    fc.asyncProperty(words, async (asked) => {
      expect(predicted(await explained(pair, asked))).toBe(await answered(pair, asked))
    }),
    { numRuns: 40 },
  )
})
