import { exportJWK, generateKeyPair, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type {
  Answer,
  AuthorizationCodeGrant,
  TokenSet,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import { nowSeconds } from '../../../src/clock.ts'
import {
  NO_ANSWER,
  type HostileAuthorizationServer,
  timeoutFor,
} from '../../support/hostile-authorization-server.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

const REDIRECT_URI = 'https://App.example.com'

function grantOf(more: Partial<AuthorizationCodeGrant> = {}): AuthorizationCodeGrant {
  return {
    client: APP,
    callbackUrl: `${REDIRECT_URI}?code=the-code&state=the-state`,
    redirectUri: REDIRECT_URI,
    state: 'the-state',
    codeVerifier: 'v'.repeat(43),
    nonce: 'the-nonce',
    leewaySeconds: 0,
    ...more,
  }
}

function without<T extends keyof AuthorizationCodeGrant>(name: T): Omit<AuthorizationCodeGrant, T> {
  const { [name]: _dropped, ...rest } = grantOf()
  return rest
}

function claimsOf(hostile: HostileAuthorizationServer, clock: ManualClock): Record<string, unknown> {
  const now = nowSeconds(clock)
  return { iss: hostile.issuer, aud: 'app', sub: 'alice', nonce: 'the-nonce', iat: now, exp: now + 300 }
}

function answerWith(hostile: HostileAuthorizationServer, idToken: string | undefined): void {
  hostile.behave('token', () => ({
    body: {
      access_token: 'the-access-token',
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: 'the-refresh-token',
      id_token: idToken,
    },
  }))
}

/** Runs a grant whose ID token has the right claims, changed as given. */
async function grantWithClaims(
  change: Record<string, unknown>,
  grant = grantOf(),
): Promise<Answer<TokenSet>> {
  const hostile = await startHostile()
  const { client, clock } = openClient()
  answerWith(hostile, await hostile.sign({ ...claimsOf(hostile, clock), ...change }))
  return client.authorizationCodeGrant(hostile.asPolicyServer(), grant)
}

describe('the authorization code grant', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
    'gives tokens and verified claims: %s',
    async (algorithm) => {
      const hostile = await startHostile({ algorithm })
      const { client, clock } = openClient()
      const claims = claimsOf(hostile, clock)
      const idToken = await hostile.sign(claims)
      answerWith(hostile, idToken)
      expect(valueOf(await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf()))).toEqual({
        accessToken: 'the-access-token',
        tokenType: 'Bearer',
        expiresInSeconds: 300,
        refreshToken: 'the-refresh-token',
        idToken,
        idTokenClaims: claims,
      })
    },
  )

  test('sends code, verifier and the very redirect URI, and authenticates once', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    answerWith(hostile, await hostile.sign(claimsOf(hostile, clock)))
    await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
    const { form, headers } = hostile.last('token')
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'authorization_code',
      code: 'the-code',
      code_verifier: 'v'.repeat(43),
      redirect_uri: REDIRECT_URI,
    })
    expect(headers.authorization).toMatch(/^Basic /)
  })

  test('sends no verifier where PKCE is off', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    await client.authorizationCodeGrant(hostile.asPolicyServer(), without('codeVerifier'))
    expect(hostile.last('token').form.has('code_verifier')).toBe(false)
  })

  test.each([
    ['another state', '?code=c&state=another'],
    ['no state', '?code=c'],
    ['two states', '?code=c&state=the-state&state=the-state'],
    ['two codes', '?code=c&code=d&state=the-state'],
    ['no code', '?state=the-state'],
    ['another issuer (RFC 9207)', '?code=c&state=the-state&iss=https%3A%2F%2Fattacker.example'],
    ['a token from an implicit flow', '?code=c&state=the-state&id_token=x'],
  ])('refuses a callback with %s, without a call', async (_name, query) => {
    const hostile = await startHostile()
    const { client } = openClient()
    const answer = await client.authorizationCodeGrant(
      hostile.asPolicyServer(),
      grantOf({ callbackUrl: `${REDIRECT_URI}/${query}` }),
    )
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_callback' })
    expect(hostile.count('token')).toBe(0)
  })

  test('refuses a callback that is no URL', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const grant = grantOf({ callbackUrl: '/oauth2/callback' })
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grant)
    expect(answer).toMatchObject({ kind: 'refused', error: 'invalid_callback' })
  })

  test('demands iss where the server says it sends one (RFC 9207)', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({
      body: { ...hostile.metadata(), authorization_response_iss_parameter_supported: true },
    }))
    const { client, clock } = openClient()
    answerWith(hostile, await hostile.sign(claimsOf(hostile, clock)))
    const server = hostile.asPolicyServer()
    expect(valueOf(await client.metadata(server)).issParameterSupported).toBe(true)
    expect(await client.authorizationCodeGrant(server, grantOf())).toMatchObject({
      error: 'invalid_callback',
    })
    const callbackUrl = `${grantOf().callbackUrl}&iss=${encodeURIComponent(hostile.issuer)}`
    expect((await client.authorizationCodeGrant(server, grantOf({ callbackUrl }))).ok).toBe(true)
  })

  test('gives the error that the server sent with the browser', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const callbackUrl = `${REDIRECT_URI}?error=access_denied&error_description=Not%20assigned&state=the-state`
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf({ callbackUrl }))
    expect(answer).toEqual({
      ok: false,
      kind: 'refused',
      error: 'access_denied',
      description: 'Not assigned',
    })
    const outage = grantOf({ callbackUrl: `${REDIRECT_URI}?error=server_error&state=the-state` })
    reasonOf(await client.authorizationCodeGrant(hostile.asPolicyServer(), outage))
  })

  test('is refused with the code of the token endpoint, which cannot echo the code', async () => {
    const hostile = await startHostile()
    hostile.behave('token', ({ form }) => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: `The code ${form.get('code')} is used` },
    }))
    const { client } = openClient()
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_grant' })
  })

  test.each(Object.entries(NO_ANSWER))('is unavailable when the server %s', async (name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('token', behaviour)
    const { client } = openClient()
    const server = hostile.asPolicyServer(timeoutFor(name))
    const reason = reasonOf(await client.authorizationCodeGrant(server, grantOf()))
    expect(reason).not.toContain('the-code')
    expect(hostile.count('token')).toBe(1)
  })
})

describe('an ID token', () => {
  test.each<[string, Record<string, unknown>]>([
    ['another nonce', { nonce: 'another' }],
    ['no nonce', { nonce: undefined }],
    ['another audience', { aud: 'another' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'https://attacker.example' }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is no string', { sub: 7 }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is no number', { exp: 'never' }],
    ['an expiry in the past', { exp: 1_000_000_000 }],
    ['a beginning in the future', { nbf: 9_000_000_000 }],
    ['no time of issue', { iat: undefined }],
    ['several audiences and no azp', { aud: ['app', 'another'] }],
    ['the azp of another client', { aud: ['app', 'another'], azp: 'another' }],
    ['one audience and the azp of another client', { azp: 'another' }],
  ])('with %s is refused', async (_name, change) => {
    expect(await grantWithClaims(change)).toMatchObject({ kind: 'refused', error: 'invalid_id_token' })
  })

  test('with several audiences and our azp is taken', async () => {
    expect((await grantWithClaims({ aud: ['app', 'another'], azp: 'app' })).ok).toBe(true)
  })

  test('that expired within the leeway is taken, and just outside it is not', async () => {
    const { clock } = openClient()
    const now = nowSeconds(clock)
    const grant = grantOf({ leewaySeconds: 10 })
    expect((await grantWithClaims({ exp: now - 9 }, grant)).ok).toBe(true)
    expect((await grantWithClaims({ exp: now - 10 }, grant)).ok).toBe(false)
  })

  test.each([
    ['is no JWT', 'not.a.jwt'],
    ['has no parts', 'opaque'],
    ['has five parts', 'a.b.c.d.e'],
    ['is empty', ''],
    ['is missing', undefined],
  ])('that %s is refused', async (_name, idToken) => {
    const hostile = await startHostile()
    const { client } = openClient()
    answerWith(hostile, idToken)
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
    expect(answer).toMatchObject({ kind: 'refused', error: 'invalid_id_token' })
  })

  test('that is signed by another key of the same id is refused', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const { privateKey } = await generateKeyPair('RS256')
    const forged = await hostile.sign(claimsOf(hostile, clock), { kid: hostile.signingKey.kid, privateKey })
    answerWith(hostile, forged)
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
    expect(answer).toMatchObject({ kind: 'refused', error: 'invalid_id_token' })
  })

  test('with alg none is refused even where the metadata lists it', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({
      body: { ...hostile.metadata(), id_token_signing_alg_values_supported: ['none', 'RS256'] },
    }))
    const { client, clock } = openClient()
    answerWith(hostile, new UnsecuredJWT(claimsOf(hostile, clock)).encode())
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
    expect(answer).toMatchObject({ kind: 'refused', error: 'invalid_id_token' })
  })

  test('with HS256 under the public key or the client secret is refused', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({
      body: { ...hostile.metadata(), id_token_signing_alg_values_supported: ['HS256', 'RS256'] },
    }))
    const { client, clock } = openClient()
    const { SignJWT } = await import('jose')
    for (const secret of ['correct horse', JSON.stringify(hostile.signingKey.publicJwk)]) {
      const forged = await new SignJWT(claimsOf(hostile, clock))
        .setProtectedHeader({ alg: 'HS256', kid: hostile.signingKey.kid })
        .sign(Buffer.from(secret.padEnd(32)))
      answerWith(hostile, forged)
      const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
      expect(answer).toMatchObject({ kind: 'refused', error: 'invalid_id_token' })
    }
  })

  test('with an algorithm that the server does not list is refused', async () => {
    const hostile = await startHostile()
    hostile.behave('discovery', () => ({
      body: { ...hostile.metadata(), id_token_signing_alg_values_supported: ['ES256'] },
    }))
    const { client, clock } = openClient()
    answerWith(hostile, await hostile.sign(claimsOf(hostile, clock)))
    expect((await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())).ok).toBe(false)
  })

  test('with a key that is newer than ours is taken after one fetch', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    await client.keys(server)
    await hostile.rotateKeys()
    answerWith(hostile, await hostile.sign(claimsOf(hostile, clock)))
    expect((await client.authorizationCodeGrant(server, grantOf())).ok).toBe(true)
    expect(hostile.count('keys')).toBe(2)
  })

  test('with a key embedded in its own header is refused', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const { SignJWT } = await import('jose')
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const forged = await new SignJWT(claimsOf(hostile, clock))
      .setProtectedHeader({ alg: 'RS256', kid: 'mine', jwk: await exportJWK(publicKey) })
      .sign(privateKey)
    answerWith(hostile, forged)
    expect((await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())).ok).toBe(false)
  })

  test('cannot be judged while the keys were never fetched', async () => {
    const hostile = await startHostile()
    hostile.behave('keys', () => ({ status: 503 }))
    const { client, clock } = openClient()
    answerWith(hostile, await hostile.sign(claimsOf(hostile, clock)))
    const answer = await client.authorizationCodeGrant(hostile.asPolicyServer(), grantOf())
    expect(reasonOf(answer)).toMatch(/^jwks endpoint/)
  })

  test('of any nonce is taken where the nonce check is off, its signature still verified', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const claims = { ...claimsOf(hostile, clock), nonce: 'another' }
    answerWith(hostile, await hostile.sign(claims))
    expect((await client.authorizationCodeGrant(server, without('nonce'))).ok).toBe(true)
    const { privateKey } = await generateKeyPair('RS256')
    answerWith(hostile, await hostile.sign(claims, { kid: hostile.signingKey.kid, privateKey }))
    expect((await client.authorizationCodeGrant(server, without('nonce'))).ok).toBe(false)
  })

  test('may be missing where openid was not asked for; one that comes is still verified', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const server = hostile.asPolicyServer()
    const grant = grantOf({ idTokenExpected: false })
    answerWith(hostile, undefined)
    expect(valueOf(await client.authorizationCodeGrant(server, grant)).idTokenClaims).toBeUndefined()
    answerWith(hostile, await hostile.sign({ ...claimsOf(hostile, clock), aud: 'another' }))
    expect((await client.authorizationCodeGrant(server, grant)).ok).toBe(false)
  })

  test('never shows in a refusal', async () => {
    const { clock } = openClient()
    const answer = await grantWithClaims({ sub: 'alice@example.com', exp: nowSeconds(clock) - 1 })
    expect(answer).toEqual({
      ok: false,
      kind: 'refused',
      error: 'invalid_id_token',
      description: 'ID token: exp is past',
    })
  })
})
