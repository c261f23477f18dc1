import { expect, onTestFinished, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { clientCredentialsToken } from '../../demo/okta.ts'
import { ingress, oidcPlugin, service, yaml } from '../../support/manifests.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { startOstiary } from '../../support/ostiary.ts'

interface World {
  readonly authorizationServer: AuthorizationServer
  readonly clock: ManualClock
  readonly statusOf: (token: string) => Promise<number>
  /** How often the keys were fetched. */
  readonly fetches: () => number
}

async function startWorld(spec: object = {}): Promise<World> {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const clock = new ManualClock(Date.now())
  const { issuer } = authorizationServer
  const plugin = oidcPlugin('api', { issuer, authMethods: ['bearer'], audience: ['api://default'], ...spec })
  const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'api' } })
  const ostiary = await startOstiary(yaml(...service('echo', echo.port), plugin, guarded), { clock })
  const statusOf = async (token: string): Promise<number> => {
    const response = await fetch(ostiary.url, { headers: { authorization: `Bearer ${token}` } })
    await response.body?.cancel()
    return response.status
  }
  return { authorizationServer, clock, statusOf, fetches: () => authorizationServer.faults.count('keys') }
}

/** A token that only its key could tell from a good one. */
function forged({ issuer }: AuthorizationServer, kid: string): string {
  const exp = Math.floor(Date.now() / 1000) + 600
  const parts = [
    { alg: 'RS256', kid },
    { iss: issuer, aud: 'api://default', sub: 's', exp },
  ]
  const [header, claims] = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return `${header}.${claims}.${Buffer.alloc(256, 7).toString('base64url')}`
}

test('peers 18: the first request signed with a new key succeeds, after one refetch', async () => {
  const { authorizationServer, statusOf, fetches } = await startWorld()
  expect(await statusOf(await clientCredentialsToken(authorizationServer))).toBe(200)
  expect(fetches()).toBe(1)
  await authorizationServer.faults.rotateKeys('kept')
  const tokens = await Promise.all(
    Array.from({ length: 20 }, () => clientCredentialsToken(authorizationServer)),
  )
  const statuses = await Promise.all(tokens.map((token) => statusOf(token)))
  expect(statuses).toEqual(statuses.map(() => 200))
  expect(fetches()).toBe(2)
})

test('peers 18: a token of a key that is no longer published stops passing, also when it was seen before', async () => {
  const { authorizationServer, clock, statusOf } = await startWorld()
  const old = await clientCredentialsToken(authorizationServer)
  expect(await statusOf(old)).toBe(200)
  await authorizationServer.faults.rotateKeys('dropped')
  clock.advance(31_000)
  expect(await statusOf(await clientCredentialsToken(authorizationServer))).toBe(200)
  expect(await statusOf(old)).toBe(401)
})

test('peers 18: 1,000 requests with random key ids cause at most one fetch in 30 seconds', async () => {
  const { authorizationServer, clock, statusOf, fetches } = await startWorld()
  expect(await statusOf(await clientCredentialsToken(authorizationServer))).toBe(200)
  const before = fetches()
  for (let batch = 0; batch < 20; batch += 1) {
    const statuses = await Promise.all(
      Array.from({ length: 50 }, (_, index) => statusOf(forged(authorizationServer, `${batch}-${index}`))),
    )
    expect(new Set(statuses)).toEqual(new Set([401]))
    clock.advance(1_000)
  }
  expect(fetches() - before).toBe(1)
  clock.advance(10_000)
  expect(await statusOf(forged(authorizationServer, 'later'))).toBe(401)
  expect(fetches() - before).toBe(2)
})

test('peers 18: rediscoveryLifetime says how long', async () => {
  const { authorizationServer, clock, statusOf, fetches } = await startWorld({ rediscoveryLifetime: 5 })
  expect(await statusOf(await clientCredentialsToken(authorizationServer))).toBe(200)
  for (const expected of [2, 3]) {
    for (let time = 0; time < 5; time += 1) {
      expect(await statusOf(forged(authorizationServer, `${expected}-${time}`))).toBe(401)
    }
    expect(fetches()).toBe(expected)
    clock.advance(5_000)
  }
})
