import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AuthDecision } from '../../../src/auth/decision.ts'
import { frontchannelLogout } from '../../../src/auth/logout/frontchannel-logout.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { EMPTY_TABLE } from '../../../src/table/routing-table.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../../support/a-policy.ts'
import { someFacts } from '../../support/authorizer-harness.ts'
import { FakeAuthorizationServerClient } from '../../support/fake-authorization-server-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeSessionStore } from './fake-session-store.ts'

function policyOf(frontchannel: boolean, changes: Partial<Policy> = {}): Policy {
  const policy = aPolicy({ client: OWN_CLIENT, ...changes })
  return { ...policy, logout: { ...policy.logout, frontchannel } }
}

async function load(
  query: string,
  policies: readonly Policy[] = [policyOf(true)],
  options: { readonly method?: string; readonly down?: boolean } = {},
): Promise<{ decision: AuthDecision | undefined; sessions: FakeSessionStore }> {
  const sessions = new FakeSessionStore()
  sessions.down = options.down ?? false
  const deps = {
    clock: new ManualClock(),
    authorizationServers: new FakeAuthorizationServerClient(),
    randomBytes,
    keys: new SessionKeys(),
    sessions,
    openSession: () => ({ kind: 'none' }) as const,
  }
  const snapshot = { table: EMPTY_TABLE, secret: () => undefined, sessionKeys: [] }
  const { method = 'GET' } = options
  // As a browser loads it in a frame of another site.
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }
  const facts = someFacts(headers, { method, path: '/oauth2/sign_out', query })
  return { decision: await frontchannelLogout(deps, snapshot, policies, facts), sessions }
}

const QUERY = `iss=${encodeURIComponent(ISSUER)}&sid=s1`

describe('front-channel logout', () => {
  test('ends the login that sid names, without its cookie, and may be framed', async () => {
    const { decision, sessions } = await load(QUERY)
    expect(decision).toMatchObject({ kind: 'respond', status: 200, body: { kind: 'none' } })
    expect(decision?.responseHeaders).toEqual([['cache-control', 'no-store']])
    expect(sessions.destroyed.map(({ subject }) => subject)).toEqual([{ issuer: ISSUER, sid: 's1' }])
  })

  test.each([
    ['sid alone', 'sid=s1'],
    ['iss alone', `iss=${encodeURIComponent(ISSUER)}`],
    ['an empty sid', `iss=${encodeURIComponent(ISSUER)}&sid=`],
    ['two sids', `${QUERY}&sid=s2`],
    ['two issuers', `${QUERY}&iss=https%3A%2F%2Fevil.example`],
    ['another issuer', 'iss=https%3A%2F%2Fevil.example&sid=s1'],
    ['nothing', ''],
  ])('is not taken from %s', async (_name, query) => {
    const { decision, sessions } = await load(query)
    expect(decision).toBeUndefined()
    expect(sessions.destroyed).toEqual([])
  })

  test('is not taken where the policy does not say so, nor from a POST', async () => {
    expect((await load(QUERY, [policyOf(false)])).decision).toBeUndefined()
    expect((await load(QUERY, [policyOf(true)], { method: 'POST' })).decision).toBeUndefined()
  })

  test('concerns the policies that take it alone', async () => {
    const { sessions } = await load(QUERY, [
      policyOf(false, { id: 'default/not' }),
      policyOf(true, { id: 'default/yes' }),
    ])
    expect(sessions.destroyed).toHaveLength(1)
  })

  test('is 503 where the store gives no answer', async () => {
    const { decision } = await load(QUERY, [policyOf(true)], { down: true })
    expect(decision).toMatchObject({ kind: 'unavailable', reason: 'session_store_unavailable' })
  })
})

test('front-channel logout goes by the issuer of ID tokens, whatever access tokens may name', async () => {
  const verification = { ...aPolicy().verification, issuers: ['https://tokens.example.com'] }
  const policies = [policyOf(true, { verification })]
  expect((await load(QUERY, policies)).sessions.destroyed).toHaveLength(1)
  const other = await load('iss=https%3A%2F%2Ftokens.example.com&sid=s1', policies)
  expect(other.sessions.destroyed).toEqual([])
})
