import { decodeProtectedHeader, decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { basic, clientCredentialsToken, ORDERS, OSTIARY, post } from './okta.ts'

const REQUEST = { grant_type: 'client_credentials', scope: 'orders.read' }

let server: AuthorizationServer

beforeAll(async () => {
  server = await startAuthorizationServer({ port: 0 })
})

afterAll(() => server.close())

test('a client-credentials access token has the claims and the header of Okta', async () => {
  const { status, body } = await post(server, 'token', REQUEST, ORDERS)
  expect(status).toBe(200)
  expect(body).toEqual({
    token_type: 'Bearer',
    expires_in: 3600,
    access_token: expect.any(String),
    scope: 'orders.read',
  })
  const token = String(body['access_token'])
  expect(decodeProtectedHeader(token)).toEqual({ kid: expect.any(String), alg: 'RS256' })
  const claims = decodeJwt(token)
  expect(claims).toEqual({
    ver: 1,
    jti: expect.stringMatching(/^AT\../),
    iss: server.issuer,
    aud: 'api://default',
    iat: expect.any(Number),
    exp: Number(claims.iat) + 3600,
    cid: 'orders-service',
    scp: ['orders.read'],
    sub: 'orders-service',
  })
})

test('credentials are taken from the body as well', async () => {
  const form = { ...REQUEST, client_id: 'orders-service', client_secret: 'orders-secret' }
  expect((await post(server, 'token', form)).status).toBe(200)
})

test('a secret with reserved characters is form-urlencoded inside Basic', async () => {
  const secret = 'p:a+s%s/&='
  const other = await startAuthorizationServer({
    port: 0,
    clients: [{ clientId: 'a b', clientSecret: secret, grantTypes: ['client_credentials'] }],
  })
  try {
    const encoded = (text: string) => new URLSearchParams({ v: text }).toString().slice(2)
    const headers = basic(encoded('a b'), encoded(secret))
    expect((await post(other, 'token', REQUEST, headers)).status).toBe(200)
  } finally {
    await other.close()
  }
})

describe('refusals', () => {
  const cases: readonly {
    name: string
    form?: Record<string, string>
    headers?: Record<string, string>
    status: number
    error: string
    description?: RegExp
  }[] = [
    {
      name: 'no credentials',
      status: 401,
      error: 'invalid_client',
      description: /^No client credentials found/,
    },
    {
      name: 'a wrong secret',
      headers: basic('orders-service', 'wrong'),
      status: 401,
      error: 'invalid_client',
      description: /secret supplied for a confidential client is invalid/,
    },
    {
      name: 'a confidential client without its secret',
      form: { ...REQUEST, client_id: 'orders-service' },
      status: 401,
      error: 'invalid_client',
    },
    {
      name: 'two kinds of credentials at once',
      form: { ...REQUEST, client_id: 'orders-service', client_secret: 'orders-secret' },
      headers: ORDERS,
      status: 400,
      error: 'invalid_request',
      description: /multiple client credentials/,
    },
    {
      name: 'a client_id that differs from the Basic one',
      form: { ...REQUEST, client_id: 'ostiary' },
      headers: ORDERS,
      status: 400,
      error: 'invalid_request',
    },
    {
      name: 'Basic without a colon',
      headers: { Authorization: `Basic ${btoa('orders-service')}` },
      status: 401,
      error: 'invalid_client',
    },
    {
      name: 'Basic with a broken escape',
      headers: basic('orders-service', '%zz'),
      status: 401,
      error: 'invalid_client',
    },
    {
      name: 'no scope and no default scope',
      form: { grant_type: 'client_credentials' },
      headers: ORDERS,
      status: 400,
      error: 'invalid_scope',
      description: /'scope' must be provided/,
    },
    {
      name: 'openid without a user',
      form: { grant_type: 'client_credentials', scope: 'openid orders.read' },
      headers: ORDERS,
      status: 400,
      error: 'invalid_scope',
      description: /Cannot request 'openid' scopes/,
    },
    {
      name: 'an unknown scope',
      form: { grant_type: 'client_credentials', scope: 'orders.read orders.destroy' },
      headers: ORDERS,
      status: 400,
      error: 'invalid_scope',
      description: /not configured/,
    },
    {
      name: 'a grant the client does not have',
      headers: OSTIARY,
      status: 400,
      error: 'unauthorized_client',
    },
    {
      name: 'an unknown grant',
      form: { grant_type: 'password', username: 'alice@example.com', password: 'any' },
      headers: OSTIARY,
      status: 400,
      error: 'unsupported_grant_type',
    },
    { name: 'no grant', form: {}, headers: OSTIARY, status: 400, error: 'invalid_request' },
    {
      name: 'a code nobody issued',
      form: { grant_type: 'authorization_code', code: 'made-up', redirect_uri: 'http://localhost/' },
      headers: OSTIARY,
      status: 400,
      error: 'invalid_grant',
      description: /^The authorization code is invalid or has expired\.$/,
    },
    {
      name: 'a refresh token nobody issued',
      form: { grant_type: 'refresh_token', refresh_token: 'made-up' },
      headers: OSTIARY,
      status: 400,
      error: 'invalid_grant',
      description: /^The refresh token is invalid or expired\.$/,
    },
  ]

  test.each(cases)('$name: $error', async ({ form = REQUEST, headers, status, error, description }) => {
    const answer = await post(server, 'token', form, headers)
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ error, error_description: expect.stringMatching(description ?? /./) })
    expect(answer.headers.get('cache-control')).toContain('no-store')
  })

  test('an unknown client is refused in the form of Okta’s own APIs', async () => {
    const answer = await post(server, 'token', REQUEST, basic('nobody', 'secret'))
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual({
      errorCode: 'invalid_client',
      errorSummary: "Invalid value for 'client_id' parameter.",
      errorLink: 'invalid_client',
      errorId: expect.stringMatching(/^oae/),
      errorCauses: [],
    })
  })

  test('a repeated parameter is refused', async () => {
    const body = new URLSearchParams([...Object.entries(REQUEST), ['scope', 'orders.read']])
    const response = await fetch(`${server.issuer}/v1/token`, { method: 'POST', headers: ORDERS, body })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_request' })
  })

  test('a body beyond 64 KiB is refused', async () => {
    const answer = await post(server, 'token', { ...REQUEST, padding: 'x'.repeat(70_000) }, ORDERS)
    expect(answer.status).toBe(413)
  })

  test('a GET is refused', async () => {
    const response = await fetch(`${server.issuer}/v1/token`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

test('a scope outside the policy of the client is access_denied, and default scopes fill in for none', async () => {
  const other = await startAuthorizationServer({
    port: 0,
    scopes: [{ name: 'orders.read', default: true }, { name: 'orders.write' }],
  })
  try {
    const denied = await post(other, 'token', { ...REQUEST, scope: 'orders.write' }, ORDERS)
    expect([denied.status, denied.body['error']]).toEqual([400, 'access_denied'])
    const filled = await post(other, 'token', { grant_type: 'client_credentials' }, ORDERS)
    expect(filled.body['scope']).toBe('orders.read')
  } finally {
    await other.close()
  }
})

test('every answer tells the rate limit, and beyond it the endpoint answers 429', async () => {
  const before = await post(server, 'token', REQUEST, ORDERS)
  expect(Number(before.headers.get('x-rate-limit-limit'))).toBeGreaterThan(0)
  expect(Number(before.headers.get('x-rate-limit-reset'))).toBeGreaterThan(Date.now() / 1000 - 1)
  server.faults.exhaustRate('token')
  try {
    const refused = await post(server, 'token', REQUEST, ORDERS)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-rate-limit-remaining')).toBe('0')
    expect(refused.headers.has('retry-after')).toBe(false)
    expect(refused.body).toMatchObject({ errorCode: 'E0000047' })
  } finally {
    server.faults.restoreRate()
  }
  expect(await clientCredentialsToken(server)).toMatch(/^ey/)
})

test('a client that spends its requests is limited until the minute ends', async () => {
  const other = await startAuthorizationServer({ port: 0, rateLimitPerMinute: 2 })
  try {
    const statuses: number[] = []
    for (let index = 0; index < 6; index += 1) {
      statuses.push((await post(other, 'token', REQUEST, ORDERS)).status)
    }
    // At most one minute begins in between, which gives two more.
    expect(statuses).toContain(429)
    expect(statuses.slice(0, 2)).toEqual([200, 200])
  } finally {
    await other.close()
  }
})
