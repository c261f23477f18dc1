import { expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { clientCredentialsToken, post } from '../demo/okta.ts'
import { startLoginApp } from '../support/login-app.ts'
import { consumer, ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startOstiary } from '../support/ostiary.ts'

const ORDERS = { authorization: `Basic ${btoa('orders-service:orders-secret')}` }

interface World {
  readonly authorizationServer: AuthorizationServer
  readonly clock: ManualClock
  readonly apply: (changes: Changes) => void
  readonly statusOf: (headers: Record<string, string>) => Promise<number>
}

interface Changes {
  readonly spec?: object
  readonly groups?: readonly string[]
  readonly clientSecret?: string
}

/** Introspection and client credentials, a consumer for the caller, and a route for the group `gold`. */
async function startWorld(): Promise<World> {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const clock = new ManualClock(Date.now())
  const manifests = ({ spec, groups = ['gold'], clientSecret = 'ostiary-secret' }: Changes): string =>
    yaml(
      ...service('echo', echo.port),
      secret('client', { clientSecret }),
      consumer('orders', { username: 'orders-service', groups }),
      oidcPlugin('api', {
        issuer: authorizationServer.issuer,
        authMethods: ['introspection', 'client_credentials'],
        introspectJwtTokens: true,
        clientId: 'ostiary',
        clientSecretRef: { name: 'client' },
        scopes: ['orders.read'],
        consumerClaims: [['client_id']],
        ...spec,
      }),
      ingress({ annotations: { 'ostiary.dev/plugins': 'api', 'ostiary.dev/allow-groups': 'gold' } }),
    )
  const ostiary = await startOstiary(manifests({}), { clock })
  return {
    authorizationServer,
    clock,
    apply: (changes) => void ostiary.apply(manifests(changes)),
    statusOf: async (headers) => {
      const response = await fetch(ostiary.url, { headers })
      await response.body?.cancel()
      return response.status
    },
  }
}

test('an edited plugin, or a changed Secret, asks anew about tokens and clients that were seen before', async () => {
  const { authorizationServer, apply, statusOf } = await startWorld()
  const bearer = { authorization: `Bearer ${await clientCredentialsToken(authorizationServer)}` }
  const counts = (): number[] =>
    (['introspect', 'token'] as const).map((endpoint) => authorizationServer.faults.count(endpoint))
  const use = async (): Promise<void> => {
    for (const headers of [bearer, ORDERS, bearer, ORDERS]) expect(await statusOf(headers)).toBe(200)
  }
  authorizationServer.faults.resetCalls()
  await use()
  // The token that was issued is introspected too.
  expect(counts()).toEqual([2, 1])
  apply({})
  await use()
  expect(counts()).toEqual([2, 1])
  apply({ spec: { leeway: 1 } })
  await use()
  expect(counts()[0]).toBeGreaterThan(2)
  const [introspections] = counts()
  // Another Secret is another digest in the revision; here it is wrong, and that shows at once.
  apply({ clientSecret: 'wrong' })
  expect(await statusOf(bearer)).toBe(401)
  expect(counts()[0]).toBe((introspections ?? 0) + 1)
})

test('a changed Consumer counts at once for tokens, clients and sessions that were seen before', async () => {
  const { authorizationServer, apply, statusOf } = await startWorld()
  const bearer = { authorization: `Bearer ${await clientCredentialsToken(authorizationServer)}` }
  for (const headers of [bearer, ORDERS]) expect(await statusOf(headers)).toBe(200)
  apply({ groups: ['silver'] })
  for (const headers of [bearer, ORDERS]) expect(await statusOf(headers)).toBe(403)
  apply({})
  for (const headers of [bearer, ORDERS]) expect(await statusOf(headers)).toBe(200)
})

test('a session seen before is judged anew by an edited plugin and a changed Consumer', async () => {
  const mapping = { consumerClaims: [['sub']] }
  const { apply, browser } = await startLoginApp()
  const alice = (groups: readonly string[]): object[] => [
    consumer('alice', { username: 'alice@example.com', groups }),
    ingress({
      name: 'gold',
      path: '/gold',
      annotations: { 'ostiary.dev/plugins': 'app', 'ostiary.dev/allow-groups': 'gold' },
    }),
  ]
  apply(mapping, ...alice(['gold']))
  await browser.login('/app')
  expect((await browser.script('/gold')).status).toBe(200)
  apply(mapping, ...alice(['silver']))
  expect((await browser.script('/gold')).status).toBe(403)
  apply({ ...mapping, groupsRequired: ['Sales'] }, ...alice(['gold']))
  expect((await browser.script('/app')).status).toBe(403)
  apply(mapping, ...alice(['gold']))
  expect((await browser.script('/gold')).status).toBe(200)
})

test('a revoked token passes no longer than the configured seconds', async () => {
  const { authorizationServer, apply, clock, statusOf } = await startWorld()
  apply({ spec: { cacheTtlMax: 10 } })
  const token = await clientCredentialsToken(authorizationServer)
  const bearer = { authorization: `Bearer ${token}` }
  expect(await statusOf(bearer)).toBe(200)
  await post(authorizationServer, 'revoke', { token }, { Authorization: ORDERS.authorization })
  clock.advance(9_999)
  expect(await statusOf(bearer)).toBe(200)
  clock.advance(1)
  expect(await statusOf(bearer)).toBe(401)
})

test('a token that was bought for a client passes no longer than the configured seconds after it was revoked', async () => {
  const { authorizationServer, apply, clock, statusOf } = await startWorld()
  apply({ spec: { cacheTtlMax: 10 } })
  expect(await statusOf(ORDERS)).toBe(200)
  authorizationServer.faults.deactivateClient('orders-service')
  clock.advance(9_999)
  expect(await statusOf(ORDERS)).toBe(200)
  clock.advance(1)
  expect(await statusOf(ORDERS)).toBe(401)
})
