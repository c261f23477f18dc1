import { describe, expect, test } from 'vitest'
import type {
  Answer,
  RefreshTokenGrant,
  TokenSet,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import { nowSeconds } from '../../../src/clock.ts'
import { NO_ANSWER } from '../../support/hostile-authorization-server.ts'
import { APP, openClient, startHostile, valueOf } from './open-client.ts'

function grantOf(more: Partial<RefreshTokenGrant> = {}): RefreshTokenGrant {
  return {
    client: APP,
    refreshToken: 'refresh-1',
    session: { realm: 'realm', id: 'session-1' },
    subject: 'alice',
    nonce: 'the-nonce',
    leewaySeconds: 0,
    ...more,
  }
}

/** Refreshes at a server whose ID token has these claims beside or instead of the right ones. */
async function refreshWith(claims: Record<string, unknown>, grant = grantOf()): Promise<Answer<TokenSet>> {
  const hostile = await startHostile()
  const { client, clock } = openClient()
  const now = nowSeconds(clock)
  const right = { iss: hostile.issuer, aud: 'app', sub: 'alice', iat: now, exp: now + 300 }
  const idToken = await hostile.sign({ ...right, ...claims })
  const body = { access_token: 'a', token_type: 'Bearer', expires_in: 300, id_token: idToken }
  hostile.behave('token', () => ({ body }))
  return client.refreshTokenGrant(hostile.asPolicyServer(), grant)
}

describe('the refresh token grant', () => {
  test('sends the refresh token and Basic, no scope, and gives what came', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const body = { access_token: 'a-2', token_type: 'Bearer', expires_in: 300, refresh_token: 'refresh-2' }
    hostile.behave('token', () => ({ body }))
    expect(valueOf(await client.refreshTokenGrant(hostile.asPolicyServer(), grantOf()))).toEqual({
      accessToken: 'a-2',
      tokenType: 'Bearer',
      expiresInSeconds: 300,
      refreshToken: 'refresh-2',
      receivedAtSeconds: nowSeconds(clock),
    })
    const { form, headers } = hostile.last('token')
    expect(Object.fromEntries(form)).toEqual({ grant_type: 'refresh_token', refresh_token: 'refresh-1' })
    expect(headers.authorization).toMatch(/^Basic /)
  })

  test('verifies an ID token that comes along', async () => {
    expect(valueOf(await refreshWith({})).idTokenClaims).toMatchObject({ sub: 'alice' })
    expect((await refreshWith({ nonce: 'the-nonce' })).ok).toBe(true)
  })

  test.each([
    ['of another user', { sub: 'mallory' }],
    ['of another login', { nonce: 'another' }],
    ['of another client', { aud: 'other' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['that has expired', { exp: 1 }],
  ])('refuses an ID token %s', async (_name, claims) => {
    expect(await refreshWith(claims)).toMatchObject({ ok: false, error: 'invalid_id_token' })
  })

  test('refuses an ID token that another key signed', async () => {
    const [hostile, other] = [await startHostile(), await startHostile({ algorithm: 'ES256' })]
    const { client, clock } = openClient()
    const now = nowSeconds(clock)
    const claims = { iss: hostile.issuer, aud: 'app', sub: 'alice', iat: now, exp: now + 300 }
    const body = { access_token: 'a', token_type: 'Bearer', id_token: await other.sign(claims) }
    hostile.behave('token', () => ({ body }))
    const answer = await client.refreshTokenGrant(hostile.asPolicyServer(), grantOf())
    expect(answer).toMatchObject({ ok: false, error: 'invalid_id_token' })
  })

  test.each(Object.entries(NO_ANSWER).filter(([name]) => !/never|middle/.test(name)))(
    'is unavailable where the server %s',
    async (_name, behaviour) => {
      const hostile = await startHostile()
      const { client } = openClient()
      hostile.behave('token', behaviour)
      const answer = await client.refreshTokenGrant(hostile.asPolicyServer(), grantOf())
      expect(answer).toMatchObject({ ok: false, kind: 'unavailable' })
      expect(JSON.stringify(answer)).not.toContain('refresh-1')
    },
  )

  test('is unavailable where the server does not answer in time', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    hostile.behave('token', () => 'hang')
    const server = hostile.asPolicyServer({ timeoutMs: 500 })
    expect(await client.refreshTokenGrant(server, grantOf())).toMatchObject({ kind: 'unavailable' })
  })

  test('is sent once more over a new connection where the first broke', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    let asked = 0
    hostile.behave('token', () => {
      asked += 1
      return asked === 1 ? 'drop' : { body: { access_token: 'a', token_type: 'Bearer' } }
    })
    expect((await client.refreshTokenGrant(hostile.asPolicyServer(), grantOf())).ok).toBe(true)
    expect(asked).toBe(2)
  })

  test('loses no rotated refresh token where the keys for the ID token cannot be had', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const idToken = await hostile.sign({ iss: hostile.issuer, aud: 'app', sub: 'mallory' })
    const body = { access_token: 'a', token_type: 'Bearer', refresh_token: 'refresh-2', id_token: idToken }
    hostile.behave('token', () => ({ body }))
    hostile.behave('keys', () => ({ status: 503, body: {} }))
    const tokens = valueOf(await client.refreshTokenGrant(hostile.asPolicyServer(), grantOf()))
    expect(tokens.refreshToken).toBe('refresh-2')
    expect(tokens).not.toHaveProperty('idToken')
    expect(tokens).not.toHaveProperty('idTokenClaims')
  })

  test('passes on what the server says, but no echo of the token', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const body = { error: 'invalid_grant', error_description: 'refresh-1 was used before' }
    hostile.behave('token', () => ({ status: 400, body }))
    const answer = await client.refreshTokenGrant(hostile.asPolicyServer(), grantOf())
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_grant' })
  })
})

describe('refreshes of one session', () => {
  test('at the same time are one, and its answer is given for another 20 seconds', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const ask = (): Promise<Answer<TokenSet>> => client.refreshTokenGrant(server, grantOf())
    const answers = await Promise.all(Array.from({ length: 50 }, ask))
    expect(new Set(answers.map((answer) => valueOf(answer).accessToken))).toEqual(new Set(['token-1']))
    clock.advance(19_999)
    expect(valueOf(await ask()).accessToken).toBe('token-1')
    expect(hostile.count('token')).toBe(1)
    clock.advance(1)
    expect(valueOf(await ask()).accessToken).toBe('token-2')
  })

  test('tell when the answer came, for those who get it later', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const { receivedAtSeconds } = valueOf(await client.refreshTokenGrant(server, grantOf()))
    clock.advance(10_000)
    expect(valueOf(await client.refreshTokenGrant(server, grantOf())).receivedAtSeconds).toBe(
      receivedAtSeconds,
    )
  })

  test('are not given a token that has expired meanwhile', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const body = { access_token: 'a', token_type: 'Bearer', expires_in: 5 }
    hostile.behave('token', () => ({ body }))
    await client.refreshTokenGrant(server, grantOf())
    clock.advance(5_000)
    await client.refreshTokenGrant(server, grantOf())
    expect(hostile.count('token')).toBe(2)
  })

  test('are apart from those of other sessions, realms and refresh tokens', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    const grants = [
      grantOf(),
      grantOf({ session: { realm: 'realm', id: 'session-2' } }),
      grantOf({ session: { realm: 'other', id: 'session-1' } }),
      grantOf({ refreshToken: 'refresh-2' }),
      grantOf({ client: { ...APP, secret: 'new' } }),
    ]
    await Promise.all(grants.map((grant) => client.refreshTokenGrant(server, grant)))
    expect(hostile.count('token')).toBe(grants.length)
  })

  test('do not storm a server that is down: it is asked again after seconds', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    hostile.behave('token', () => ({ status: 503, body: {} }))
    for (let round = 0; round < 10; round += 1) await client.refreshTokenGrant(server, grantOf())
    expect(hostile.count('token')).toBe(1)
    hostile.behave('token', undefined)
    clock.advance(5_000)
    expect((await client.refreshTokenGrant(server, grantOf())).ok).toBe(true)
  })
})
