import { describe, expect, test } from 'vitest'
import type {
  ClientCredentialsGrant,
  ClientWithSecret,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import { NO_ANSWER, type HostileReply, timeoutFor } from '../../support/hostile-authorization-server.ts'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

function grantOf(
  client: ClientWithSecret,
  more: Partial<ClientCredentialsGrant> = {},
): ClientCredentialsGrant {
  return { client, scopes: [], audience: [], ...more }
}

function basicOf(header: string | undefined): string {
  return Buffer.from(header?.replace(/^Basic /, '') ?? '', 'base64').toString('utf8')
}

describe('the client credentials grant', () => {
  test('sends scopes, audiences and Basic, and gives the token', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const grant = grantOf(APP, { scopes: ['orders.read', 'orders.write'], audience: ['api://a', 'api://b'] })
    expect(valueOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grant))).toEqual({
      accessToken: 'token-1',
      tokenType: 'Bearer',
      expiresInSeconds: 3600,
      scope: 'orders.read orders.write',
    })
    const { form, headers } = hostile.last('token')
    expect([...form.keys()].sort()).toEqual(['audience', 'audience', 'grant_type', 'scope'])
    expect(form.getAll('audience')).toEqual(['api://a', 'api://b'])
    expect(form.get('grant_type')).toBe('client_credentials')
    expect(form.get('scope')).toBe('orders.read orders.write')
    expect(basicOf(headers.authorization)).toBe('app:correct+horse')
  })

  test('authenticates in one form only: header, body, or the id alone', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    await client.clientCredentialsGrant(server, grantOf(APP))
    expect([...hostile.last('token').form.keys()]).toEqual(['grant_type'])
    await client.clientCredentialsGrant(server, grantOf({ ...APP, authMethod: 'client_secret_post' }))
    const post = hostile.last('token')
    expect(post.headers.authorization).toBeUndefined()
    expect(post.form.get('client_id')).toBe('app')
    expect(post.form.get('client_secret')).toBe('correct horse')
    await client.clientCredentialsGrant(server, grantOf({ id: 'public', authMethod: 'none' }))
    const none = hostile.last('token')
    expect(none.headers.authorization).toBeUndefined()
    expect([...none.form.keys()].sort()).toEqual(['client_id', 'grant_type'])
  })

  test('form-urlencodes id and secret before Basic (RFC 6749 §2.3.1)', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const odd: ClientWithSecret = { id: 'a:b-c_d', secret: 'ü %+&=:', authMethod: 'client_secret_basic' }
    await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(odd))
    expect(basicOf(hostile.last('token').headers.authorization)).toBe('a%3Ab-c_d:%C3%BC+%25%2B%26%3D%3A')
  })

  test.each([
    { ...APP, id: '' },
    { ...APP, secret: '' },
    { id: 'app', authMethod: 'client_secret_post' },
  ] as const)('is refused without a call where id or secret is empty: %o', async (incomplete) => {
    const hostile = await startHostile()
    const { client } = openClient()
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(incomplete))
    expect(answer).toMatchObject({ ok: false, kind: 'refused', error: 'invalid_client' })
    expect(hostile.requests).toEqual([])
  })

  test.each([
    [{ access_token: 't', token_type: 'bearer', expires_in: '300' }, { expiresInSeconds: 300 }],
    [{ access_token: 't', token_type: 'BEARER', expires_in: 0 }, { expiresInSeconds: 0 }],
    [{ access_token: 't', token_type: 'Bearer', id_token: 'no JWT', refresh_token: 'r' }, {}],
  ])('takes %o', async (body, more) => {
    const hostile = await startHostile()
    hostile.behave('token', () => ({ headers: { 'content-type': 'text/plain' }, body }))
    const { client } = openClient()
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))
    expect(valueOf(answer)).toEqual({ accessToken: 't', tokenType: 'Bearer', ...more })
  })

  test.each([
    {},
    { access_token: 't' },
    { access_token: '', token_type: 'Bearer' },
    { access_token: ['t'], token_type: 'Bearer' },
    { access_token: 't', token_type: 'DPoP' },
    { access_token: 't', token_type: ['Bearer'] },
    { access_token: 't', token_type: 'Bearer', expires_in: -1 },
    { access_token: 't', token_type: 'Bearer', expires_in: '300 seconds' },
    { access_token: 't', token_type: 'Bearer', expires_in: [300] },
    { error: 'invalid_client' },
  ])('is unavailable on 200 with %o', async (body) => {
    const hostile = await startHostile()
    hostile.behave('token', () => ({ body }))
    const { client } = openClient()
    reasonOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP)))
  })

  test.each(Object.entries(NO_ANSWER))('is unavailable when the server %s', async (name, behaviour) => {
    const hostile = await startHostile()
    hostile.behave('token', behaviour)
    const { client } = openClient()
    const server = hostile.asPolicyServer(timeoutFor(name))
    const reason = reasonOf(await client.clientCredentialsGrant(server, grantOf(APP)))
    expect(reason).toMatch(/^token endpoint at 127\.0\.0\.1/)
    expect(reason).not.toContain('horse')
  })

  test.each<[HostileReply, string, string | undefined]>([
    [{ status: 401, body: { error: 'invalid_client', error_description: 'no' } }, 'invalid_client', 'no'],
    [{ status: 400, body: { error: 'invalid_scope' } }, 'invalid_scope', undefined],
    [
      { status: 401, body: { errorCode: 'invalid_client', errorSummary: 'Invalid client_id.' } },
      'invalid_client',
      'Invalid client_id.',
    ],
    [
      { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' }, body: { error: 'invalid_client' } },
      'invalid_client',
      undefined,
    ],
    [
      { status: 403, body: { error: 'access_denied', error_description: 'a\u0000\nb' } },
      'access_denied',
      'a b',
    ],
    [{ status: 400, body: { error: 'x\r\nset-cookie: y' } }, 'unknown_error', undefined],
  ])('is refused with the code of %o', async (reply, error, description) => {
    const hostile = await startHostile()
    hostile.behave('token', () => reply)
    const { client } = openClient()
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))
    const refused = { ok: false, kind: 'refused', error }
    expect(answer).toEqual(description === undefined ? refused : { ...refused, description })
  })

  test.each([
    { status: 404, body: { message: 'not found' } },
    { status: 401, body: '<html>' },
    { status: 400, body: { error: 7 } },
    { status: 400, body: { error: 'temporarily_unavailable' } },
  ])('is unavailable on %o, which is no refusal', async (reply) => {
    const hostile = await startHostile()
    hostile.behave('token', () => reply)
    const { client } = openClient()
    reasonOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP)))
  })

  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'drops words of the server that echo what was sent: %s',
    async (authMethod) => {
      const hostile = await startHostile()
      hostile.behave('token', ({ headers, form }) => ({
        status: 400,
        body: {
          error: 'invalid_client',
          error_description: `bad: ${headers.authorization} ${form.get('client_secret')}`,
        },
      }))
      const { client } = openClient()
      const answer = await client.clientCredentialsGrant(
        hostile.asPolicyServer(),
        grantOf({ ...APP, authMethod }),
      )
      expect(answer).toEqual({ ok: false, kind: 'refused', error: 'invalid_client' })
    },
  )

  test('drops a decoded secret and an error code that is one', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    hostile.behave('token', () => ({
      status: 400,
      body: { error: 'x', error_description: 'not correct horse' },
    }))
    const grant = grantOf({ ...APP, id: 'b' })
    expect(await client.clientCredentialsGrant(hostile.asPolicyServer(), grant)).toEqual({
      ok: false,
      kind: 'refused',
      error: 'x',
    })
    hostile.behave('token', () => ({ status: 400, body: { error: 'hunter2' } }))
    const another = grantOf({ ...APP, secret: 'hunter2' })
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), another)
    expect(answer).toEqual({ ok: false, kind: 'refused', error: 'unknown_error' })
  })

  test.each<[Record<string, string>, number, number]>([
    [{ 'x-rate-limit-reset': 'NOW+42' }, 429, 42],
    [{ 'x-rate-limit-reset': 'NOW-42' }, 429, 1],
    [{ 'x-rate-limit-reset': 'NOW+99999' }, 429, 600],
    [{ 'x-rate-limit-reset': 'soon' }, 429, 5],
    [{ 'retry-after': '17' }, 429, 17],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 503, 30],
    [{ 'x-rate-limit-reset': 'NOW+42' }, 503, 5],
    [{}, 429, 5],
  ])('on %o with status %d says to wait %d s', async (headers, status, seconds) => {
    const { client, clock } = openClient()
    const hostile = await startHostile()
    const [name, value] = Object.entries(headers)[0] ?? ['x-none', '']
    const epoch = value.replace(
      /^NOW([+-]\d+)$/,
      (_, offset: string) => `${clock.now() / 1000 + Number(offset)}`,
    )
    hostile.behave('token', () => ({ status, headers: { [name]: epoch }, body: { errorCode: 'E0000047' } }))
    const answer = await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))
    expect(answer).toMatchObject({ kind: 'unavailable', retryAfterSeconds: seconds })
  })

  test('is unavailable when nobody listens', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer({ tokenEndpoint: `${hostile.issuer}/v1/token` })
    await hostile.close()
    const answer = await client.clientCredentialsGrant(server, grantOf(APP))
    expect(reasonOf(answer)).toMatch(/^token endpoint at 127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED$/)
  })

  test('is sent again where a kept connection was closed before the answer', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    hostile.behave('token', () => {
      hostile.behave('token', undefined)
      return 'drop'
    })
    expect((await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))).ok).toBe(true)
    expect(hostile.count('token')).toBe(2)
  })
})

describe('identical client credentials grants', () => {
  test('fifty at once are one call', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => client.clientCredentialsGrant(server, grantOf({ ...APP }))),
    )
    expect(new Set(answers.map((answer) => valueOf(answer).accessToken))).toEqual(new Set(['token-1']))
    expect(hostile.count('token')).toBe(1)
  })

  test('share the token for two seconds', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const ask = async () =>
      valueOf(await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))).accessToken
    expect(await ask()).toBe('token-1')
    clock.advance(1_999)
    expect(await ask()).toBe('token-1')
    clock.advance(1)
    expect(await ask()).toBe('token-2')
  })

  test('share a token no longer than it lives', async () => {
    const hostile = await startHostile()
    hostile.behave('token', () => ({ body: { access_token: 't', token_type: 'Bearer', expires_in: 1 } }))
    const { client, clock } = openClient()
    await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))
    clock.advance(1_000)
    await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))
    expect(hostile.count('token')).toBe(2)
  })

  test('do not share an outage once it is over', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    hostile.behave('token', () => ({ status: 503 }))
    expect((await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))).ok).toBe(false)
    hostile.behave('token', undefined)
    expect((await client.clientCredentialsGrant(hostile.asPolicyServer(), grantOf(APP))).ok).toBe(true)
  })

  test('that differ in anything share nothing', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    const grants = [
      grantOf(APP),
      grantOf({ ...APP, secret: 'another' }),
      grantOf({ ...APP, id: 'another' }),
      grantOf({ ...APP, authMethod: 'client_secret_post' }),
      grantOf({ ...APP, assertionAudience: 'https://elsewhere.example' }),
      grantOf(APP, { scopes: ['a', 'b'] }),
      grantOf(APP, { scopes: ['a b', ''] }),
      grantOf(APP, { audience: ['a', 'b'] }),
    ]
    await Promise.all(grants.map((grant) => client.clientCredentialsGrant(server, grant)))
    await client.clientCredentialsGrant({ ...server, id: 'another' }, grantOf(APP))
    expect(hostile.count('token')).toBe(grants.length + 1)
  })
})
