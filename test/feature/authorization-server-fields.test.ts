import { generateKeyPairSync } from 'node:crypto'
import { jwtVerify } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'
import { HostileAuthorizationServer } from '../support/hostile-authorization-server.ts'
import { startLoginApp, type Echoed } from '../support/login-app.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startOstiary } from '../support/ostiary.ts'

async function guard(
  spec: object,
  ...objects: readonly object[]
): Promise<(authorization: string) => Promise<Response>> {
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const plugin = oidcPlugin('api', spec)
  const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'api' } })
  const ostiary = await startOstiary(yaml(...service('echo', echo.port), plugin, guarded, ...objects))
  return (authorization) => fetch(ostiary.url, { headers: { authorization } })
}

async function hostileServer(): Promise<HostileAuthorizationServer> {
  const hostile = await HostileAuthorizationServer.start()
  onTestFinished(() => hostile.close())
  return hostile
}

test('clientKeySecretRef proves the client by a JWT that its key signed', async () => {
  const hostile = await hostileServer()
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const ask = await guard(
    {
      issuer: hostile.issuer,
      authMethods: ['introspection'],
      clientId: 'app',
      clientKeySecretRef: { name: 'key', key: 'app.pem' },
    },
    secret('key', { 'app.pem': pem }),
  )
  expect((await ask('Bearer opaque')).status).toBe(200)
  const { form, headers } = hostile.last('introspect')
  expect(headers.authorization).toBeUndefined()
  const { payload } = await jwtVerify(form.get('client_assertion') ?? '', publicKey, {
    issuer: 'app',
    subject: 'app',
    audience: `${hostile.issuer}/v1/introspect`,
  })
  expect(payload.jti).toMatch(/.{16}/)
})

test('httpProxy carries the calls of its plugin, and noProxy exempts hosts', async () => {
  const hostile = await hostileServer()
  const proxy = await startForwardProxy()
  const spec = { issuer: hostile.issuer, authMethods: ['client_credentials'], scopes: ['read'] }
  const ask = await guard({ ...spec, httpProxy: proxy.url })
  expect((await ask(`Basic ${btoa('a:b')}`)).status).toBe(200)
  expect(proxy.asked).toContain(`POST ${hostile.issuer}/v1/token`)
  const count = proxy.asked.length
  const exempt = await guard({ ...spec, httpProxy: proxy.url, noProxy: ['127.0.0.1'] })
  expect((await exempt(`Basic ${btoa('a:b')}`)).status).toBe(200)
  expect(proxy.asked.length).toBe(count)
})

test('tokenPostArgs go to the token endpoint, for clients and for logins', async () => {
  const hostile = await hostileServer()
  const args = {
    tokenPostArgsNames: ['resource', 'tenant'],
    tokenPostArgsValues: ['https://api.example.com', 't1'],
  }
  const ask = await guard({ issuer: hostile.issuer, authMethods: ['client_credentials'], ...args })
  expect((await ask(`Basic ${btoa('a:b')}`)).status).toBe(200)
  const { form } = hostile.last('token')
  expect([form.get('resource'), form.get('tenant')]).toEqual(['https://api.example.com', 't1'])

  const { authorizationServer, browser } = await startLoginApp(args)
  await browser.login('/app')
  const call = authorizationServer.faults.calls.find(({ endpoint }) => endpoint === 'token')
  expect(call?.parameters).toMatchObject({ grant_type: 'authorization_code', tenant: 't1' })
})

test('maxAge is asked for in the login, and a session older than that signs in again', async () => {
  const clock = new ManualClock(Date.now())
  const { browser } = await startLoginApp({ maxAge: 300, sessionIdlingTimeout: 0 }, { clock })
  const location = browser.locationOf(await browser.navigate('/app'))
  expect(location.searchParams.get('max_age')).toBe('300')
  await browser.login('/app')
  clock.advance(290_000)
  expect((await browser.navigate('/app')).status).toBe(200)
  clock.advance(20_000)
  expect((await browser.navigate('/app')).status).toBe(302)
  expect((await browser.script('/app')).status).toBe(401)
})

test('extraJwksUris and issuersAllowed take tokens of a second server', async () => {
  const [one, two, third] = [
    await startAuthorizationServer({ port: 0 }),
    await startAuthorizationServer({ port: 0 }),
    await startAuthorizationServer({ port: 0 }),
  ]
  for (const server of [one, two, third]) onTestFinished(() => server.close())
  const ask = await guard({
    issuer: one.issuer,
    authMethods: ['bearer'],
    audience: ['api://default'],
    issuersAllowed: [one.issuer, two.issuer],
    extraJwksUris: [`${two.issuer}/v1/keys`],
  })
  const exp = Math.floor(Date.now() / 1000) + 600
  const statuses = await Promise.all(
    [one, two, third].map(async (server) => {
      const claims = { iss: server.issuer, aud: 'api://default', sub: 's', iat: exp - 600, exp }
      return (await ask(`Bearer ${await server.sign(claims)}`)).status
    }),
  )
  expect(statuses).toEqual([200, 200, 401])
})

test('searchUserInfo finds a claim that the access token does not have', async () => {
  const { apply, authorizationServer, browser } = await startLoginApp()
  await browser.login('/app')
  const { headers } = (await (await browser.navigate('/app')).json()) as Echoed
  const authorization = headers['Authorization']?.[0] ?? ''
  const emailWith = async (spec: object): Promise<string | undefined> => {
    const api = oidcPlugin('api', {
      issuer: authorizationServer.issuer,
      authMethods: ['bearer'],
      audience: ['api://default'],
      upstreamHeaders: [{ header: 'X-Email', path: ['email'] }],
      ...spec,
    })
    apply({}, api, ingress({ name: 'api', path: '/api', annotations: { 'ostiary.dev/plugins': 'api' } }))
    const response = await browser.script('/api', { headers: { authorization } })
    expect(response.status).toBe(200)
    return ((await response.json()) as Echoed).headers['X-Email']?.[0]
  }
  expect(await emailWith({})).toBeUndefined()
  expect(await emailWith({ searchUserInfo: true })).toBe('alice@example.com')
  expect(authorizationServer.faults.count('userinfo')).toBe(1)
})
