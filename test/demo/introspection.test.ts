import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { CookieJar, signIn, visit } from '../support/okta-server-sign-in.ts'
import {
  authorizationRequest,
  basic,
  clientCredentialsToken,
  introspect,
  ORDERS,
  OSTIARY,
  post,
  redeem,
} from './okta.ts'

let server: AuthorizationServer

beforeEach(async () => {
  server = await startAuthorizationServer({ port: 0 })
})

afterEach(() => server.close())

async function userTokens(jar = new CookieJar()) {
  const { url, codeVerifier } = authorizationRequest(server, { scope: 'openid email offline_access' })
  const outcome = await signIn(url, { jar })
  if (outcome.kind !== 'redirect') throw new Error('no redirect')
  const { body } = await redeem(server, outcome.location, codeVerifier)
  return {
    access: String(body['access_token']),
    id: String(body['id_token']),
    refresh: String(body['refresh_token']),
  }
}

describe('introspection', () => {
  test('a token without a user has no uid and no username', async () => {
    const token = await clientCredentialsToken(server)
    const { iat, exp, jti } = decodeJwt(token)
    expect(await introspect(server, token)).toEqual({
      active: true,
      token_type: 'Bearer',
      scope: 'orders.read',
      client_id: 'orders-service',
      aud: 'api://default',
      iss: server.issuer,
      sub: 'orders-service',
      iat,
      exp,
      jti,
    })
  })

  test('a token of a user has both, and the custom groups claim', async () => {
    const { access } = await userTokens()
    expect(await introspect(server, access)).toMatchObject({
      active: true,
      scope: 'openid email offline_access',
      client_id: 'ostiary',
      username: 'alice@example.com',
      sub: 'alice@example.com',
      uid: decodeJwt(access)['uid'],
      groups: ['Everyone', 'Engineering'],
    })
  })

  test('ID and refresh tokens are active too, but are no bearer tokens', async () => {
    const { id, refresh } = await userTokens()
    for (const token of [id, refresh]) {
      const answer = await introspect(server, token)
      expect(answer).toMatchObject({ active: true, client_id: 'ostiary', username: 'alice@example.com' })
      expect(answer).not.toHaveProperty('token_type')
    }
    const other = await post(server, 'introspect', { token: refresh }, ORDERS)
    expect(other.body).toEqual({ active: false })
  })

  test('an inactive answer says nothing else', async () => {
    const token = await clientCredentialsToken(server)
    const flipped = token.slice(0, -8) + (token.at(-8) === 'A' ? 'B' : 'A') + token.slice(-7)
    const neverIssued = await server.sign({ ...decodeJwt(token), jti: 'AT.never-issued' })
    for (const bad of [flipped, neverIssued, 'x', 'a.b.c', '..']) {
      expect(await introspect(server, bad)).toEqual({ active: false })
    }
  })

  test('an expired token is inactive', async () => {
    server.faults.accessTokenSeconds = 1
    const token = await clientCredentialsToken(server)
    const { exp = 0 } = decodeJwt(token)
    await expect.poll(() => introspect(server, token), { timeout: 5000 }).toEqual({ active: false })
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp)
  })

  test.each([
    ['no credentials', {}, 401],
    ['an unknown client', basic('nobody', 'x'), 401],
    ['a wrong secret', basic('ostiary', 'wrong'), 401],
  ])('%s is refused', async (_, headers, status) => {
    const token = await clientCredentialsToken(server)
    const answer = await post(server, 'introspect', { token }, headers)
    expect(answer.status).toBe(status)
    expect(answer.body).not.toHaveProperty('active')
  })

  test('two kinds of credentials at once, or no token, is a bad request', async () => {
    const both = { token: 'x', client_id: 'ostiary', client_secret: 'ostiary-secret' }
    const twice = await post(server, 'introspect', both, OSTIARY)
    expect([twice.status, twice.body['error']]).toEqual([400, 'invalid_request'])
    const none = await post(server, 'introspect', {}, OSTIARY)
    expect([none.status, none.body['error']]).toEqual([400, 'invalid_request'])
  })
})

describe('revocation', () => {
  test('a revoked access token is inactive at once, others stay', async () => {
    const [token, other] = [await clientCredentialsToken(server), await clientCredentialsToken(server)]
    const { status, body } = await post(server, 'revoke', { token }, ORDERS)
    expect([status, body]).toEqual([200, {}])
    expect(await introspect(server, token)).toEqual({ active: false })
    expect((await introspect(server, other))['active']).toBe(true)
  })

  test('a client cannot revoke the token of another, and is not told', async () => {
    const token = await clientCredentialsToken(server)
    expect((await post(server, 'revoke', { token }, OSTIARY)).status).toBe(200)
    expect((await introspect(server, token))['active']).toBe(true)
    const { refresh } = await userTokens()
    expect((await post(server, 'revoke', { token: refresh }, ORDERS)).status).toBe(200)
    expect((await introspect(server, refresh))['active']).toBe(true)
  })

  test('a refresh token takes its access token along, not the reverse', async () => {
    const one = await userTokens()
    await post(server, 'revoke', { token: one.access }, OSTIARY)
    expect(await introspect(server, one.access)).toEqual({ active: false })
    expect((await introspect(server, one.refresh))['active']).toBe(true)
    const two = await userTokens()
    await post(server, 'revoke', { token: two.refresh, token_type_hint: 'refresh_token' }, OSTIARY)
    expect(await introspect(server, two.refresh)).toEqual({ active: false })
    expect(await introspect(server, two.access)).toEqual({ active: false })
  })

  test('unknown tokens are 200, a missing client 401, a missing token 400', async () => {
    expect((await post(server, 'revoke', { token: 'x' }, ORDERS)).status).toBe(200)
    expect((await post(server, 'revoke', { token: 'x' })).status).toBe(401)
    expect((await post(server, 'revoke', {}, ORDERS)).status).toBe(400)
  })
})

describe('deactivation', () => {
  test('a client’s tokens are dead at once, and stay dead when it is activated again', async () => {
    const token = await clientCredentialsToken(server)
    server.faults.deactivateClient('orders-service')
    expect(await introspect(server, token)).toEqual({ active: false })
    const refused = await post(
      server,
      'token',
      { grant_type: 'client_credentials', scope: 'orders.read' },
      ORDERS,
    )
    expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
    server.faults.activateClient('orders-service')
    expect(await introspect(server, token)).toEqual({ active: false })
    expect((await introspect(server, await clientCredentialsToken(server)))['active']).toBe(true)
  })

  test('a deactivated client that introspects is itself refused, and cannot start a sign-in', async () => {
    const token = await clientCredentialsToken(server)
    server.faults.deactivateClient('ostiary')
    const asked = await post(server, 'introspect', { token }, OSTIARY)
    expect([asked.status, asked.body['error']]).toEqual([401, 'invalid_client'])
    expect(await signIn(authorizationRequest(server).url)).toMatchObject({ kind: 'page', status: 400 })
  })

  test('a user’s tokens are dead, the browser is signed out, and the sign-in is refused', async () => {
    const jar = new CookieJar()
    const { access, refresh, id } = await userTokens(jar)
    server.faults.deactivateUser('alice@example.com')
    for (const token of [access, refresh, id])
      expect(await introspect(server, token)).toEqual({ active: false })
    const renewed = await post(
      server,
      'token',
      { grant_type: 'refresh_token', refresh_token: refresh },
      OSTIARY,
    )
    expect(renewed.body['error']).toBe('invalid_grant')
    const page = await visit(authorizationRequest(server).url, jar)
    expect(page.headers.get('location')).toContain('/signin/')
    expect(await signIn(authorizationRequest(server).url)).toMatchObject({ status: 401 })
    server.faults.activateUser('alice@example.com')
    expect(await introspect(server, access)).toEqual({ active: false })
  })
})
