import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AuthDecision } from '../../../src/auth/decision.ts'
import { BackchannelLogout } from '../../../src/auth/logout/backchannel-logout.ts'
import type { LoginDependencies } from '../../../src/auth/relying-party/login-context.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { EMPTY_TABLE } from '../../../src/table/routing-table.ts'
import { aPolicy, ISSUER, OWN_CLIENT } from '../../support/a-policy.ts'
import { someFacts } from '../../support/authorizer-harness.ts'
import { FakeAuthorizationServerClient } from '../../support/fake-authorization-server-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Signer } from '../../support/signed-tokens.ts'
import { FakeSessionStore } from './fake-session-store.ts'

const signer = await Signer.create('k1')
const SNAPSHOT = { table: EMPTY_TABLE, secret: () => undefined, sessionKeys: [] }

function withLogout(id: string, realm: string): Policy {
  const policy = aPolicy({ id, client: OWN_CLIENT })
  return {
    ...policy,
    logout: { ...policy.logout, backchannel: true },
    session: { ...policy.session, realm },
  }
}

class World {
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly sessions = new FakeSessionStore()
  readonly endpoint: BackchannelLogout
  policies: readonly Policy[] = [withLogout('default/one', 'r1')]

  constructor() {
    const servers = new FakeAuthorizationServerClient()
    servers.onKeys = () => ({
      ok: true,
      value: { keys: [{ ...signer.publicJwk }], fetchedAtMs: this.clock.now() },
    })
    const deps: LoginDependencies = {
      clock: this.clock,
      authorizationServers: servers,
      randomBytes,
      keys: new SessionKeys(),
      sessions: this.sessions,
      openSession: (request) => this.sessions.open(request),
    }
    this.endpoint = new BackchannelLogout(deps)
  }

  token(claims: object = {}): Promise<string> {
    const iat = this.clock.now() / 1000
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    const all = {
      iss: ISSUER,
      aud: 'ostiary',
      iat,
      exp: iat + 120,
      jti: 'j1',
      events,
      sub: '00u1',
      ...claims,
    }
    return signer.sign(JSON.stringify(all), { typ: 'logout+jwt' })
  }

  async post(form: URLSearchParams | undefined, method = 'POST'): Promise<AuthDecision> {
    const facts = someFacts({}, { method, path: '/oauth2/backchannel_logout', form: async () => form })
    return this.endpoint.accept(SNAPSHOT, this.policies, facts)
  }

  async send(claims: object = {}): Promise<AuthDecision> {
    return this.post(new URLSearchParams({ logout_token: await this.token(claims) }))
  }
}

function statusOf(decision: AuthDecision): number | undefined {
  return decision.kind === 'respond' ? decision.status : undefined
}

describe('back-channel logout', () => {
  test('ends the sessions of a user, or of one login, in every realm of the client', async () => {
    const world = new World()
    world.policies = [
      withLogout('default/one', 'r1'),
      withLogout('default/same-realm', 'r1'),
      withLogout('default/two', 'r2'),
      { ...withLogout('default/other', 'r3'), client: { ...OWN_CLIENT, id: 'other' } },
    ]
    expect(statusOf(await world.send())).toBe(200)
    expect(world.sessions.destroyed).toEqual([
      { realm: 'r1', subject: { issuer: ISSUER, sub: '00u1' } },
      { realm: 'r2', subject: { issuer: ISSUER, sub: '00u1' } },
    ])
    expect(statusOf(await world.send({ jti: 'j2', sid: 's1' }))).toBe(200)
    expect(world.sessions.destroyed.at(-1)?.subject).toEqual({ issuer: ISSUER, sid: 's1' })
  })

  test('is never cached', async () => {
    expect((await new World().send()).responseHeaders).toContainEqual(['cache-control', 'no-store'])
  })

  test('takes a token once', async () => {
    const world = new World()
    const form = new URLSearchParams({ logout_token: await world.token() })
    const answers = await Promise.all([world.post(form), world.post(form)])
    expect(new Set(answers.map((each) => statusOf(each)))).toEqual(new Set([200, 400]))
    expect(statusOf(await world.post(form))).toBe(400)
    expect(world.sessions.destroyed).toHaveLength(1)
    world.clock.advance(301_000)
    expect(statusOf(await world.post(form))).toBe(400)
    expect(statusOf(await world.send({ jti: 'j2' }))).toBe(200)
  })

  test('can be sent again where the store gave no answer', async () => {
    const world = new World()
    world.sessions.down = true
    expect(statusOf(await world.send())).toBe(400)
    world.sessions.down = false
    expect(statusOf(await world.send())).toBe(200)
  })

  test.each<[string, URLSearchParams | undefined]>([
    ['no form', undefined],
    ['an empty form', new URLSearchParams()],
    ['an empty token', new URLSearchParams({ logout_token: '' })],
    ['no JWT', new URLSearchParams({ logout_token: 'nonsense' })],
  ])('is 400 with %s, and an error as OAuth has it', async (_name, form) => {
    const decision = await new World().post(form)
    expect(decision).toMatchObject({
      kind: 'respond',
      status: 400,
      body: { kind: 'json', value: { error: 'invalid_request', error_description: expect.any(String) } },
    })
  })

  test('is 400 with two tokens, each good', async () => {
    const world = new World()
    const form = new URLSearchParams([
      ['logout_token', await world.token()],
      ['logout_token', await world.token({ jti: 'j2' })],
    ])
    expect(statusOf(await world.post(form))).toBe(400)
    expect(world.sessions.destroyed).toEqual([])
  })

  test('is 501 where sessions live in cookies, and 405 for other methods', async () => {
    const world = new World()
    const form = new URLSearchParams({ logout_token: await world.token() })
    expect(statusOf(await world.post(form, 'GET'))).toBe(405)
    world.policies = [aPolicy({ client: OWN_CLIENT })]
    expect(statusOf(await world.post(form))).toBe(501)
    expect(world.sessions.destroyed).toEqual([])
  })
})
