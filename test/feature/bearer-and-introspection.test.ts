import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { clientCredentialsToken, post } from '../demo/okta.ts'
import { consumer, ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { startOstiary, type Ostiary } from '../support/ostiary.ts'

interface Setup {
  readonly ostiary: Ostiary
  readonly authorizationServer: AuthorizationServer
  readonly get: (token?: string, headers?: Record<string, string>) => Promise<Response>
}

async function setup(spec: object, extra: readonly object[] = [], annotations: object = {}): Promise<Setup> {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const plugin = oidcPlugin('reports', {
    issuer: authorizationServer.issuer,
    audience: ['api://default'],
    ...spec,
  })
  const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'reports', ...annotations } })
  const client = secret('client', { clientSecret: 'ostiary-secret' })
  const ostiary = await startOstiary(yaml(...service('echo', echo.port), client, plugin, guarded, ...extra))
  const get = (token?: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${ostiary.url}/reports`, {
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    })
  return { ostiary, authorizationServer, get }
}

interface Echoed {
  readonly headers: Readonly<Record<string, readonly string[]>>
}

const BEARER = { authMethods: ['bearer'] }
const INTROSPECTION = {
  authMethods: ['introspection'],
  introspectJwtTokens: true,
  cacheIntrospection: false,
  clientId: 'ostiary',
  clientSecretRef: { name: 'client' },
}

describe('bearer', () => {
  test('a token of the issuer passes, and one that was changed does not', async () => {
    const { get, authorizationServer } = await setup(BEARER)
    const token = await clientCredentialsToken(authorizationServer)
    expect((await get(token)).status).toBe(200)
    const [head, claims, signature] = token.split('.') as [string, string, string]
    const changed = Buffer.from(claims, 'base64url').toString().replace('orders-service', 'somebody-else')
    const response = await get([head, Buffer.from(changed).toString('base64url'), signature].join('.'))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test("Okta's scp satisfies scopesRequired, and a missing scope is 403 that names it", async () => {
    const { get, authorizationServer } = await setup({ ...BEARER, scopesRequired: ['orders.read'] })
    expect((await get(await clientCredentialsToken(authorizationServer))).status).toBe(200)
    const strict = await setup({ ...BEARER, scopesRequired: ['orders.write'] })
    const refused = await strict.get(await clientCredentialsToken(strict.authorizationServer))
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_scope')
  })

  test('a token signed with a new key passes after one refetch', async () => {
    const { get, authorizationServer } = await setup(BEARER)
    expect((await get(await clientCredentialsToken(authorizationServer))).status).toBe(200)
    await authorizationServer.faults.rotateKeys('kept')
    expect((await get(await clientCredentialsToken(authorizationServer))).status).toBe(200)
  })

  test('known keys go on while the authorization server is down', async () => {
    const { get, authorizationServer } = await setup(BEARER)
    const [first, second] = [
      await clientCredentialsToken(authorizationServer),
      await clientCredentialsToken(authorizationServer),
    ]
    expect((await get(first)).status).toBe(200)
    await authorizationServer.faults.down('refused')
    expect((await get(second)).status).toBe(200)
  })

  test('keys that were never fetched and a server that is down are 503, not 401', async () => {
    const { get, authorizationServer } = await setup(BEARER)
    const token = await clientCredentialsToken(authorizationServer)
    await authorizationServer.faults.down('refused')
    const response = await get(token)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).not.toBeNull()
  })

  test('an ID token is no access token', async () => {
    const { get, authorizationServer } = await setup({ ...BEARER, audience: ['ostiary'] })
    const exp = Math.floor(Date.now() / 1000) + 600
    const claims = {
      iss: authorizationServer.issuer,
      aud: 'ostiary',
      sub: 'x',
      nonce: 'n',
      iat: exp - 600,
      exp,
    }
    expect((await get(await authorizationServer.sign(claims))).status).toBe(401)
  })

  test('claims name a consumer, groups of it are judged, and no client can claim to be one', async () => {
    const orders = consumer('orders', { username: 'orders-service', groups: ['gold'] })
    const spec = { ...BEARER, consumerClaims: [['cid']] }
    const { get, authorizationServer } = await setup(spec, [orders], { 'ostiary.dev/allow-groups': 'gold' })
    const token = await clientCredentialsToken(authorizationServer)
    const response = await get(token, { 'X-Consumer-Username': 'admin', x_consumer_groups: 'root' })
    expect(response.status).toBe(200)
    const { headers } = (await response.json()) as Echoed
    expect(headers['X-Consumer-Username']).toEqual(['orders-service'])
    expect(headers['X-Consumer-Groups']).toEqual(['gold'])
    expect(headers['X_consumer_groups']).toBeUndefined()

    const denied = await setup(spec, [orders], { 'ostiary.dev/deny-groups': 'gold' })
    expect((await denied.get(await clientCredentialsToken(denied.authorizationServer))).status).toBe(403)
  })

  test('a claim that names no consumer is 403', async () => {
    const { get, authorizationServer } = await setup({ ...BEARER, consumerClaims: [['cid']] })
    expect((await get(await clientCredentialsToken(authorizationServer))).status).toBe(403)
  })
})

describe('introspection', () => {
  test('a revoked token is 401 at once when nothing is cached', async () => {
    const { get, authorizationServer } = await setup(INTROSPECTION)
    const token = await clientCredentialsToken(authorizationServer)
    expect((await get(token)).status).toBe(200)
    const revoker = { Authorization: `Basic ${btoa('orders-service:orders-secret')}` }
    await post(authorizationServer, 'revoke', { token }, revoker)
    expect((await get(token)).status).toBe(401)
  })

  test('a cached answer is used again', async () => {
    const { get, authorizationServer } = await setup({ ...INTROSPECTION, cacheIntrospection: true })
    const token = await clientCredentialsToken(authorizationServer)
    await get(token)
    await get(token)
    expect(authorizationServer.faults.count('introspect')).toBe(1)
  })

  test('a deactivated client is 401, also when it is the one that asks', async () => {
    const { get, authorizationServer } = await setup(INTROSPECTION)
    const token = await clientCredentialsToken(authorizationServer)
    expect((await get(token)).status).toBe(200)
    authorizationServer.faults.deactivateClient('orders-service')
    expect((await get(token)).status).toBe(401)
    authorizationServer.faults.deactivateClient('ostiary')
    expect((await get(token)).status).toBe(401)
  })

  test('a server that is down is 503 with Retry-After', async () => {
    const { get, authorizationServer } = await setup(INTROSPECTION)
    const token = await clientCredentialsToken(authorizationServer)
    await authorizationServer.faults.down('unavailable')
    const response = await get(token)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).not.toBeNull()
  })

  test('a JWT is never taken for its signature where introspection is asked for', async () => {
    const both = { ...INTROSPECTION, authMethods: ['bearer', 'introspection'] }
    const { get, authorizationServer } = await setup(both)
    const exp = Math.floor(Date.now() / 1000) + 600
    const claims = {
      iss: authorizationServer.issuer,
      aud: 'api://default',
      sub: 'x',
      cid: 'x',
      iat: exp - 600,
      exp,
    }
    expect((await get(await authorizationServer.sign(claims))).status).toBe(401)
  })
})
