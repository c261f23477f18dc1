import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { DEMO_CLIENTS } from '../../deploy/demo/authorization-server/registration.ts'
import { CookieJar, signIn, visit, type SignInOptions } from '../support/okta-server-sign-in.ts'
import { authorizationRequest, CALLBACK, introspect, OSTIARY, post, redeem } from './okta.ts'

let server: AuthorizationServer

beforeAll(async () => {
  server = await startAuthorizationServer({ port: 0 })
})

afterAll(() => server.close())

async function callbackOf(url: URL, options?: SignInOptions): Promise<URL> {
  const outcome = await signIn(url, options)
  if (outcome.kind !== 'redirect') throw new Error(`stopped at a page: ${outcome.html}`)
  return outcome.location
}

async function signedIn(parameters: Record<string, string> = {}, options: SignInOptions = {}) {
  const { url, codeVerifier } = authorizationRequest(server, parameters)
  const { body } = await redeem(server, await callbackOf(url, options), codeVerifier)
  return {
    body,
    accessToken: String(body['access_token']),
    idToken: String(body['id_token']),
    refreshToken: String(body['refresh_token']),
  }
}

test('a sign-in comes back with the state and a code, without iss as at Okta', async () => {
  const callback = await callbackOf(authorizationRequest(server).url)
  expect(callback.origin + callback.pathname).toBe(CALLBACK)
  expect([...callback.searchParams.keys()].sort()).toEqual(['code', 'state'])
  expect(callback.searchParams.get('state')).toBe('state-1')
})

test('the tokens of a user have the claims of Okta', async () => {
  const { body, accessToken, idToken } = await signedIn()
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'openid profile email' })
  expect(body).not.toHaveProperty('refresh_token')
  const access = decodeJwt(accessToken)
  expect(access).toEqual({
    ver: 1,
    jti: expect.stringMatching(/^AT\../),
    iss: server.issuer,
    aud: 'api://default',
    iat: expect.any(Number),
    exp: Number(access.iat) + 3600,
    cid: 'ostiary',
    uid: expect.stringMatching(/^00u/),
    scp: ['openid', 'profile', 'email'],
    auth_time: expect.any(Number),
    sub: 'alice@example.com',
    groups: ['Everyone', 'Engineering'],
  })
  const digest = createHash('sha256').update(accessToken).digest()
  expect(decodeJwt(idToken)).toEqual({
    ver: 1,
    sub: access['uid'],
    name: 'Alice Archer',
    preferred_username: 'alice@example.com',
    email: 'alice@example.com',
    email_verified: true,
    iss: server.issuer,
    aud: 'ostiary',
    iat: expect.any(Number),
    exp: expect.any(Number),
    jti: expect.stringMatching(/^ID\../),
    amr: ['pwd'],
    idp: expect.stringMatching(/^00o/),
    nonce: 'nonce-1',
    auth_time: access['auth_time'],
    at_hash: digest.subarray(0, 16).toString('base64url'),
    groups: ['Everyone', 'Engineering'],
  })
})

test('scopes decide which claims of the user the ID token holds', async () => {
  const { idToken } = await signedIn({ scope: 'openid' })
  const claims = decodeJwt(idToken)
  expect(claims).not.toHaveProperty('email')
  expect(claims).not.toHaveProperty('name')
})

test('a browser that is signed in already is not asked again, another is', async () => {
  const jar = new CookieJar()
  await callbackOf(authorizationRequest(server).url, { jar, username: 'bob@example.com' })
  const again = await visit(authorizationRequest(server).url, jar)
  expect(again.headers.get('location')).toContain(`${CALLBACK}?code=`)
  const stranger = await visit(authorizationRequest(server).url, new CookieJar())
  expect(stranger.headers.get('location')).toContain('/signin/')
})

test('prompt=login asks although the browser is signed in', async () => {
  const jar = new CookieJar()
  await callbackOf(authorizationRequest(server).url, { jar })
  const response = await visit(authorizationRequest(server, { prompt: 'login' }).url, jar)
  expect(response.headers.get('location')).toContain('/signin/')
})

test('prompt=none without a session comes back with login_required', async () => {
  const response = await visit(authorizationRequest(server, { prompt: 'none' }).url, new CookieJar())
  const location = new URL(response.headers.get('location') ?? '')
  expect(location.searchParams.get('error')).toBe('login_required')
  expect(location.searchParams.get('state')).toBe('state-1')
  expect(location.searchParams.has('iss')).toBe(false)
})

test.each([
  { username: 'mallory@example.com', password: 'any' },
  { username: 'alice@example.com', password: '' },
])('$username with the password "$password" is shown the form again', async (credentials) => {
  const outcome = await signIn(authorizationRequest(server).url, credentials)
  expect(outcome).toMatchObject({ kind: 'page', status: 401 })
  expect(outcome).toHaveProperty('html', expect.stringContaining('Unable to sign in'))
})

test('a sign-in page without the cookie of its browser is refused', async () => {
  const { headers } = await visit(authorizationRequest(server).url, new CookieJar())
  const page = await visit(new URL(headers.get('location') ?? '', server.url), new CookieJar())
  expect(page.status).toBe(400)
})

test('a code works once: the second use fails and kills the tokens of the first', async () => {
  const { url, codeVerifier } = authorizationRequest(server)
  const callback = await callbackOf(url)
  const first = await redeem(server, callback, codeVerifier)
  expect((await introspect(server, String(first.body['access_token'])))['active']).toBe(true)
  const second = await redeem(server, callback, codeVerifier)
  expect([second.status, second.body['error']]).toEqual([400, 'invalid_grant'])
  expect(await introspect(server, String(first.body['access_token']))).toEqual({ active: false })
})

test('a code needs the verifier of its challenge', async () => {
  const callback = await callbackOf(authorizationRequest(server).url)
  const { status, body } = await redeem(server, callback, 'x'.repeat(43))
  expect([status, body['error']]).toEqual([400, 'invalid_grant'])
})

test.each(['plain', 'none'])('the code challenge method %s is refused', async (method) => {
  const { url } = authorizationRequest(server, { code_challenge_method: method })
  expect((await callbackOf(url)).searchParams.get('error')).toBe('invalid_request')
})

test('form_post posts code and state to the callback', async () => {
  const { url } = authorizationRequest(server, { response_mode: 'form_post' })
  const outcome = await signIn(url)
  expect(outcome.kind).toBe('page')
  const html = outcome.kind === 'page' ? outcome.html : ''
  expect(html).toContain(`action="${CALLBACK}"`)
  const names = [...html.matchAll(/<input [^>]*name="(\w+)"/g)].map((match) => match[1])
  expect(new Set(names)).toEqual(new Set(['code', 'state']))
})

test.each([
  ['', 'invalid_request'],
  ['with space', 'invalid_request'],
  ['a+b/c=', 'invalid_request'],
])('the state "%s" is refused, as Okta allows only some characters', async (state, error) => {
  const callback = await callbackOf(authorizationRequest(server, { state }).url)
  expect(callback.searchParams.get('error')).toBe(error)
})

test('an unknown scope comes back as invalid_scope', async () => {
  const callback = await callbackOf(authorizationRequest(server, { scope: 'openid everything' }).url)
  expect(callback.searchParams.get('error')).toBe('invalid_scope')
})

test.each([
  ['an unknown client', { client_id: 'nobody' }],
  ['an address that is not registered', { redirect_uri: 'http://localhost:8080/elsewhere' }],
])('%s stops at a page and redirects nowhere', async (_, parameters) => {
  const outcome = await signIn(authorizationRequest(server, parameters).url)
  expect(outcome).toMatchObject({ kind: 'page', status: 400 })
})

test('offline_access gives a refresh token, which is good once: reuse ends the whole sign-in', async () => {
  const { refreshToken, accessToken } = await signedIn({ scope: 'openid offline_access' })
  const refresh = (token: string) =>
    post(server, 'token', { grant_type: 'refresh_token', refresh_token: token }, OSTIARY)
  const renewed = await refresh(refreshToken)
  expect(renewed.status).toBe(200)
  expect(renewed.body['refresh_token']).not.toBe(refreshToken)
  expect(decodeJwt(String(renewed.body['access_token']))).toMatchObject({
    sub: 'alice@example.com',
    auth_time: decodeJwt(accessToken)['auth_time'],
  })
  const reused = await refresh(refreshToken)
  expect([reused.status, reused.body['error']]).toEqual([400, 'invalid_grant'])
  expect((await refresh(String(renewed.body['refresh_token']))).status).toBe(400)
  expect(await introspect(server, accessToken)).toEqual({ active: false })
})

test('a public client signs in with PKCE and names itself by client_id alone', async () => {
  const other = await startAuthorizationServer({
    port: 0,
    clients: [
      ...DEMO_CLIENTS,
      { clientId: 'spa', grantTypes: ['authorization_code'], redirectUris: [CALLBACK] },
    ],
  })
  try {
    const { url, codeVerifier } = authorizationRequest(other, { client_id: 'spa' })
    const code = (await callbackOf(url)).searchParams.get('code') ?? ''
    const form = { grant_type: 'authorization_code', client_id: 'spa', code, redirect_uri: CALLBACK }
    expect((await post(other, 'token', form)).body['error']).toBe('invalid_grant')
    const again = (await callbackOf(url)).searchParams.get('code') ?? ''
    const answer = await post(other, 'token', { ...form, code: again, code_verifier: codeVerifier })
    expect(decodeJwt(String(answer.body['access_token']))).toMatchObject({ cid: 'spa' })
    const asked = await post(other, 'introspect', {
      client_id: 'spa',
      token: String(answer.body['access_token']),
    })
    expect(asked.body['active']).toBe(true)
  } finally {
    await other.close()
  }
})

test('issuer in responses, groups claim and audience follow the options', async () => {
  const other = await startAuthorizationServer({
    port: 0,
    authorizationResponseIss: true,
    groupsClaim: null,
    audience: 'api://orders',
  })
  try {
    const { url, codeVerifier } = authorizationRequest(other)
    const callback = await callbackOf(url)
    expect(callback.searchParams.get('iss')).toBe(other.issuer)
    const { body } = await redeem(other, callback, codeVerifier)
    const claims = decodeJwt(String(body['access_token']))
    expect(claims.aud).toBe('api://orders')
    expect(claims).not.toHaveProperty('groups')
  } finally {
    await other.close()
  }
})

test('userinfo tells about the user of the token, and refuses any other token', async () => {
  const { accessToken, idToken } = await signedIn({}, { username: 'bob@example.com' })
  const ask = (token: string) =>
    fetch(`${server.issuer}/v1/userinfo`, { headers: { Authorization: `Bearer ${token}` } })
  expect(await (await ask(accessToken)).json()).toEqual({
    sub: decodeJwt(idToken).sub,
    name: 'Bob Baker',
    preferred_username: 'bob@example.com',
    email: 'bob@example.com',
    email_verified: true,
    groups: ['Everyone'],
  })
  for (const token of [idToken, `${accessToken}x`, 'x']) expect((await ask(token)).status).toBe(401)
})

test('logout ends the browser’s session and returns, but needs a genuine ID token', async () => {
  const jar = new CookieJar()
  const { idToken, accessToken } = await signedIn({}, { jar })
  const leave = (parameters: Record<string, string>) =>
    visit(new URL(`${server.issuer}/v1/logout?${new URLSearchParams(parameters).toString()}`), jar)
  const returnTo = 'http://localhost:8080/public'
  expect((await leave({ post_logout_redirect_uri: returnTo })).status).toBe(400)
  expect((await leave({ id_token_hint: accessToken })).status).toBe(400)
  const elsewhere = { id_token_hint: idToken, post_logout_redirect_uri: 'https://evil.example/' }
  expect((await leave(elsewhere)).status).toBe(400)
  const still = await visit(authorizationRequest(server).url, jar)
  expect(still.headers.get('location')).toContain('code=')
  const left = await leave({ id_token_hint: idToken, post_logout_redirect_uri: returnTo, state: 's1' })
  expect([left.status, left.headers.get('location')]).toEqual([302, `${returnTo}?state=s1`])
  const after = await visit(authorizationRequest(server).url, jar)
  expect(after.headers.get('location')).toContain('/signin/')
  expect((await introspect(server, accessToken))['active']).toBe(true)
})
