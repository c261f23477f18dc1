import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { clientCredentialsToken } from '../demo/okta.ts'
import { HostileAuthorizationServer } from '../support/hostile-authorization-server.ts'
import { startLoginApp } from '../support/login-app.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startOstiary } from '../support/ostiary.ts'

const ORDERS = { authorization: `Basic ${btoa('orders-service:orders-secret')}` }
const OWN_CLIENT = { clientId: 'ostiary', clientSecretRef: { name: 'client' } }

interface World {
  readonly clock: ManualClock
  readonly get: (headers: Record<string, string>) => Promise<Response>
}

/** One guarded route; the issuer as the plugin has it. */
async function guard(spec: object): Promise<World> {
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const clock = new ManualClock(Date.now())
  const manifests = yaml(
    ...service('echo', echo.port),
    secret('client', { clientSecret: 'ostiary-secret' }),
    oidcPlugin('okta', spec),
    ingress({ annotations: { 'ostiary.dev/plugins': 'okta' } }),
  )
  const ostiary = await startOstiary(manifests, { clock })
  return { clock, get: (headers) => fetch(ostiary.url, { headers }) }
}

async function customServer(options: object = {}): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer({ port: 0, ...options })
  onTestFinished(() => server.close())
  return server
}

describe('a custom authorization server', () => {
  test.each([
    ['its issuer', (issuer: string) => issuer],
    ['its issuer with a slash', (issuer: string) => `${issuer}/`],
    ['its OpenID document', (issuer: string) => `${issuer}/.well-known/openid-configuration`],
    [
      'its OAuth document',
      (issuer: string) =>
        issuer.replace('/oauth2/default', '/.well-known/oauth-authorization-server/oauth2/default'),
    ],
  ])('is found by %s', async (_name, write) => {
    const server = await customServer()
    const { get } = await guard({
      issuer: write(server.issuer),
      authMethods: ['bearer'],
      audience: ['api://default'],
      scopesRequired: ['orders.read'],
    })
    const authorization = `Bearer ${await clientCredentialsToken(server)}`
    expect((await get({ authorization })).status).toBe(200)
  })
})

describe('an org authorization server', () => {
  async function orgServer(): Promise<HostileAuthorizationServer> {
    const server = await HostileAuthorizationServer.start({ issuerPath: '' })
    onTestFinished(() => server.close())
    return server
  }

  test('has its issuer at the origin and its endpoints below /oauth2/v1', async () => {
    const server = await orgServer()
    const { get } = await guard({ issuer: server.issuer, authMethods: ['introspection'], ...OWN_CLIENT })
    expect((await get({ authorization: 'Bearer opaque' })).status).toBe(200)
    expect(server.metadata()['introspection_endpoint']).toBe(`${server.issuer}/oauth2/v1/introspect`)
  })

  test('publishes no keys for its access tokens: by signature they are 401, by introspection they pass', async () => {
    const server = await orgServer()
    const exp = Math.floor(Date.now() / 1000) + 600
    const claims = { iss: server.issuer, aud: server.issuer, sub: 'alice@example.com', iat: exp - 600, exp }
    const unpublished = { ...server.signingKey, kid: 'unpublished' }
    const authorization = `Bearer ${await server.sign(claims, unpublished)}`
    const spec = { issuer: server.issuer, ...OWN_CLIENT }
    const bySignature = await guard({ ...spec, authMethods: ['bearer'] })
    expect((await bySignature.get({ authorization })).status).toBe(401)
    const asked = await guard({ ...spec, authMethods: ['introspection'], introspectJwtTokens: true })
    expect((await asked.get({ authorization })).status).toBe(200)
  })
})

describe('errors', () => {
  test.each([
    ['the OAuth shape', { error: 'invalid_client', error_description: 'The client secret is invalid.' }],
    ['Okta’s own shape', { errorCode: 'invalid_client', errorSummary: "Invalid value for 'client_id'." }],
  ])('in %s are 401, and say nothing of the credential', async (_name, body) => {
    const server = await customServer()
    server.faults.answer('token', { status: 401, body })
    const { get } = await guard({ issuer: server.issuer, authMethods: ['client_credentials'] })
    const response = await get(ORDERS)
    expect(response.status).toBe(401)
    expect(await response.text()).not.toMatch(/orders-s/)
  })

  test('openid is left out of client-credentials requests, and a scope that is not granted is 401', async () => {
    const server = await customServer()
    const ask = async (scopes: readonly string[]): Promise<number> => {
      const { get } = await guard({ issuer: server.issuer, authMethods: ['client_credentials'], scopes })
      return (await get(ORDERS)).status
    }
    expect(await ask(['openid', 'offline_access', 'orders.read'])).toBe(200)
    const token = server.faults.calls.find(({ endpoint }) => endpoint === 'token')
    expect(token?.parameters['scope']).toBe('orders.read')
    expect(await ask(['orders.write'])).toBe(401)
  })

  test('offline_access is asked for at authorize, and no scope at the token endpoint', async () => {
    const { authorizationServer, browser } = await startLoginApp({ scopes: ['openid', 'offline_access'] })
    const location = browser.locationOf(await browser.navigate('/app'))
    expect(location.searchParams.get('scope')).toBe('openid offline_access')
    await browser.login('/app')
    const token = authorizationServer.faults.calls.find(({ endpoint }) => endpoint === 'token')
    expect(token?.parameters).not.toHaveProperty('scope')
    expect((await browser.navigate('/app')).status).toBe(200)
  })
})

describe('429', () => {
  test('is 503 with the time that X-Rate-Limit-Reset names, and the endpoint is left alone until then', async () => {
    const server = await customServer()
    const { clock, get } = await guard({
      issuer: server.issuer,
      authMethods: ['client_credentials'],
      scopes: ['orders.read'],
    })
    const reset = String(Math.floor(clock.now() / 1000) + 42)
    server.faults.answer('token', {
      status: 429,
      headers: { 'X-Rate-Limit-Limit': '100', 'X-Rate-Limit-Remaining': '0', 'X-Rate-Limit-Reset': reset },
      body: { errorCode: 'E0000047', errorSummary: 'API call exceeded rate limit due to too many requests.' },
    })
    const first = await get(ORDERS)
    expect(first.status).toBe(503)
    const wait = Number(first.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(40)
    expect(wait).toBeLessThanOrEqual(42)
    server.faults.clear()
    clock.advance(20_000)
    const paused = await get(ORDERS)
    expect(paused.status).toBe(503)
    expect(Number(paused.headers.get('retry-after'))).toBe(wait - 20)
    expect(server.faults.count('token')).toBe(1)
    clock.advance(22_000)
    expect((await get(ORDERS)).status).toBe(200)
  })

  test('spares tokens that are known', async () => {
    const server = await customServer()
    const { get } = await guard({
      issuer: server.issuer,
      authMethods: ['client_credentials'],
      scopes: ['orders.read'],
    })
    expect((await get(ORDERS)).status).toBe(200)
    server.faults.exhaustRate('token')
    expect((await get(ORDERS)).status).toBe(200)
    expect((await get({ authorization: `Basic ${btoa('another:secret')}` })).status).toBe(503)
  })
})

describe('a deactivated application', () => {
  test('is 401 by introspection at once, and its own secret buys no token any more', async () => {
    const server = await customServer()
    const { get } = await guard({
      issuer: server.issuer,
      authMethods: ['introspection', 'client_credentials'],
      introspectJwtTokens: true,
      cacheIntrospection: false,
      cacheTokens: false,
      scopes: ['orders.read'],
      ...OWN_CLIENT,
    })
    const bearer = { authorization: `Bearer ${await clientCredentialsToken(server)}` }
    expect((await get(bearer)).status).toBe(200)
    expect((await get(ORDERS)).status).toBe(200)
    server.faults.deactivateClient('orders-service')
    expect((await get(bearer)).status).toBe(401)
    expect((await get(ORDERS)).status).toBe(401)
    server.faults.activateClient('orders-service')
    expect((await get(bearer)).status).toBe(401)
  })

  test('a cached answer lets its token pass no longer than cacheTtlMax says', async () => {
    const server = await customServer()
    const { clock, get } = await guard({
      issuer: server.issuer,
      authMethods: ['introspection'],
      introspectJwtTokens: true,
      cacheTtlMax: 30,
      ...OWN_CLIENT,
    })
    const bearer = { authorization: `Bearer ${await clientCredentialsToken(server)}` }
    expect((await get(bearer)).status).toBe(200)
    server.faults.deactivateClient('orders-service')
    clock.advance(29_999)
    expect((await get(bearer)).status).toBe(200)
    clock.advance(1)
    expect((await get(bearer)).status).toBe(401)
  })
})

test('a deactivated user is signed out where sessions are reverified, and cannot sign in again', async () => {
  const { authorizationServer, browser } = await startLoginApp({
    authMethods: ['session', 'introspection', 'authorization_code'],
    introspectJwtTokens: true,
    cacheIntrospection: false,
    reverify: true,
  })
  await browser.login('/app')
  expect((await browser.script('/app')).status).toBe(200)
  authorizationServer.faults.deactivateUser('alice@example.com')
  expect((await browser.script('/app')).status).toBe(401)
  await expect(browser.login('/app')).rejects.toThrow('stopped at a page')
})
