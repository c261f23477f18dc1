import { describe, expect, test } from 'vitest'
import { Provider, type Claims } from './provider.ts'

const INTROSPECTION = { authMethods: ['introspection'], cacheIntrospection: false }
const EXPIRY = Math.floor(Date.now() / 1000) + 3600

// https://www.ory.com/docs/hydra/reference/api: opaque tokens, whose session's own data is in `ext`.
describe('Ory Hydra', () => {
  const TOKEN = 'ory_at_3vEYJw0.8Vh'
  const ACTIVE: Claims = {
    active: true,
    scope: 'orders.read offline',
    client_id: 'web',
    sub: 'alice',
    exp: EXPIRY,
    iat: EXPIRY - 3600,
    nbf: EXPIRY - 3600,
    aud: ['orders'],
    token_type: 'Bearer',
    token_use: 'access_token',
    ext: { roles: ['admin'], tenant: { name: 'acme' } },
  }

  async function ask(spec: Readonly<Record<string, unknown>>, answer: Claims): Promise<Response> {
    const made = await Provider.start({ ...INTROSPECTION, ...spec })
    made.introspect({ iss: `${made.server.issuer}/`, ...answer })
    return made.get(TOKEN)
  }

  test('roles in ext are required and mapped by their path', async () => {
    const spec = {
      rolesRequired: ['admin'],
      rolesClaim: ['ext', 'roles'],
      upstreamHeaders: [{ header: 'X-Tenant', path: ['ext', 'tenant', 'name'] }],
    }
    const answer = await ask(spec, ACTIVE)
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as { headers: Claims }).headers['X-Tenant']).toEqual(['acme'])
    expect((await ask(spec, { ...ACTIVE, ext: {} })).status).toBe(403)
    expect((await ask(spec, { ...ACTIVE, ext: undefined, roles: ['admin'] })).status).toBe(403)
  })

  test('a refresh token is active too, and no access token', async () => {
    expect((await ask({}, { ...ACTIVE, token_use: 'refresh_token' })).status).toBe(401)
    expect((await ask({}, { active: false })).status).toBe(401)
  })

  test('an audience that is asked for must be in the list, which may be empty', async () => {
    expect((await ask({ audience: ['orders'] }, ACTIVE)).status).toBe(200)
    expect((await ask({ audience: ['orders'] }, { ...ACTIVE, aud: [] })).status).toBe(401)
    expect((await ask({ audience: ['orders'] }, { ...ACTIVE, aud: ['other'] })).status).toBe(401)
  })

  test('a client that may not introspect is 401, and an outage 503', async () => {
    const made = await Provider.start(INTROSPECTION)
    made.server.behave('introspect', () => ({
      status: 401,
      body: { error: 'request_unauthorized', error_description: 'denied', status_code: 401 },
    }))
    expect((await made.get(TOKEN)).status).toBe(401)
    made.server.behave('introspect', () => ({ status: 502, body: '<html>' }))
    expect((await made.get(TOKEN)).status).toBe(503)
  })
})

// https://developer.okta.com/docs/concepts/auth-servers/: nobody but Okta can validate its access tokens, which are
// JWTs of a type of their own under a key that is not published.
describe("Okta's org authorization server", () => {
  const TYPE = { typ: 'application/okta-internal-at+jwt', kid: 'not-published' }
  const ACCESS: Claims = {
    ver: 1,
    aud: 'https://acme.okta.com',
    sub: 'alice@example.com',
    cid: 'web',
    uid: '00u1',
  }

  test('its tokens are introspected where JWTs are', async () => {
    const made = await Provider.start({
      ...INTROSPECTION,
      introspectJwtTokens: true,
      scopesRequired: ['profile'],
    })
    made.introspect({
      active: true,
      scope: 'openid profile',
      username: 'alice@example.com',
      exp: EXPIRY,
      iss: made.server.issuer,
      token_type: 'Bearer',
      client_id: 'web',
      uid: '00u1',
    })
    expect(await made.statusOf(ACCESS, TYPE)).toBe(200)
    made.introspect({ active: false })
    expect(await made.statusOf({ ...ACCESS, jti: '2' }, TYPE)).toBe(401)
  })

  test('its tokens are no bearer tokens, and reach no introspection unless that is asked for', async () => {
    for (const authMethods of [['bearer'], ['introspection'], ['bearer', 'introspection']]) {
      const made = await Provider.start({ authMethods })
      expect(await made.statusOf(ACCESS, TYPE)).toBe(401)
      expect(made.server.count('introspect')).toBe(0)
    }
  })

  test('an ID token, which Okta calls active when asked, is none', async () => {
    const made = await Provider.start({ ...INTROSPECTION, introspectJwtTokens: true })
    const id = { aud: 'web', sub: '00u1', nonce: 'n', at_hash: 'h', amr: ['pwd'] }
    made.introspect({ active: true, ...id })
    expect(await made.statusOf(id)).toBe(401)
    expect(made.server.count('introspect')).toBe(0)
    // Without a mark of its own it is asked about, and the answer tells.
    expect(await made.statusOf({ aud: 'web', sub: '00u1' })).toBe(401)
    expect(made.server.count('introspect')).toBe(1)
  })
})
