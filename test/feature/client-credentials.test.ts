import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { ingress, oidcPlugin, service, yaml } from '../support/manifests.ts'
import { startOstiary, type Ostiary } from '../support/ostiary.ts'

const ORDERS = `Basic ${btoa('orders-service:orders-secret')}`

interface Setup {
  readonly ostiary: Ostiary
  readonly authorizationServer: AuthorizationServer
  readonly get: (headers?: Record<string, string>) => Promise<Response>
}

async function setup(spec: object = {}): Promise<Setup> {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const plugin = oidcPlugin('orders', {
    issuer: authorizationServer.issuer,
    authMethods: ['client_credentials', 'bearer'],
    scopes: ['orders.read'],
    upstreamHeadersClaims: ['iss'],
    upstreamHeadersNames: ['Issuer_Header'],
    ...spec,
  })
  const guarded = ingress({ path: '/orders', annotations: { 'ostiary.dev/plugins': 'orders' } })
  const ostiary = await startOstiary(yaml(...service('echo', echo.port), plugin, guarded))
  return { ostiary, authorizationServer, get: (headers = {}) => fetch(`${ostiary.url}/orders`, { headers }) }
}

function tokenCalls(server: AuthorizationServer): number {
  return server.faults.calls.filter((call) => call.endpoint === 'token').length
}

interface Echoed {
  readonly headers: Readonly<Record<string, readonly string[]>>
}

describe('client credentials', () => {
  test("the caller's id and secret become a bearer token upstream, with claims in headers", async () => {
    const { get, authorizationServer } = await setup()
    const response = await get({ authorization: ORDERS })
    expect(response.status).toBe(200)
    const { headers } = (await response.json()) as Echoed
    expect(headers['Authorization']).toEqual([expect.stringMatching(/^Bearer eyJ/)])
    expect(headers['Issuer-Header']).toEqual([authorizationServer.issuer])
  })

  test('one token is fetched however many requests wait, and kept', async () => {
    const { get, authorizationServer } = await setup()
    const responses = await Promise.all(Array.from({ length: 50 }, () => get({ authorization: ORDERS })))
    expect(responses.map((each) => each.status)).toEqual(Array.from({ length: 50 }, () => 200))
    expect((await get({ authorization: ORDERS })).status).toBe(200)
    expect(tokenCalls(authorizationServer)).toBe(1)
  })

  test('a wrong secret is 401, and is remembered for a while', async () => {
    const { get, authorizationServer } = await setup()
    const wrong = { authorization: `Basic ${btoa('orders-service:wrong')}` }
    const first = await get(wrong)
    expect(first.status).toBe(401)
    expect(first.headers.get('www-authenticate')).toContain('Basic')
    expect(await first.text()).not.toContain('wrong')
    expect((await get(wrong)).status).toBe(401)
    expect(tokenCalls(authorizationServer)).toBe(1)
  })

  test('no credential is 401 without an error attribute, and never a redirect', async () => {
    const { get } = await setup()
    const response = await get({ accept: 'text/html' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).not.toContain('error')
    expect(response.headers.get('content-type')).toContain('problem+json')
  })

  test('openid is left out, since Okta refuses it without a user', async () => {
    const { get } = await setup({ scopes: ['openid', 'orders.read'] })
    expect((await get({ authorization: ORDERS })).status).toBe(200)
  })

  test('an authorization server that is down before its keys were fetched is 503 with Retry-After', async () => {
    const { get, authorizationServer } = await setup()
    await authorizationServer.faults.down('unavailable')
    const response = await get({ authorization: ORDERS })
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  test('it goes on with known tokens while the authorization server is down', async () => {
    const { get, authorizationServer } = await setup()
    expect((await get({ authorization: ORDERS })).status).toBe(200)
    await authorizationServer.faults.down('refused')
    expect((await get({ authorization: ORDERS })).status).toBe(200)
  })
})
