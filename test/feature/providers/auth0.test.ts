import { expect, test } from 'vitest'
import { Provider, type Claims, type ProviderOptions } from './provider.ts'

// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles: the issuer ends in a slash, the audience
// lists the API and the tenant's userinfo, RBAC adds `permissions`, and claims of one's own are named by URLs.
const NAMESPACE = 'https://acme.example.com'
const API = 'https://orders.example.com/'

const BEARER = { authMethods: ['bearer'], audience: [API] }

/** The issuer's slash is in its discovery document and its tokens, whether or not the plugin has it. */
async function start(
  spec: Readonly<Record<string, unknown>>,
  slash = true,
  options: ProviderOptions = {},
): Promise<{ made: Provider; access: Claims }> {
  const made = await Provider.start((issuer) => ({ ...spec, issuer: slash ? `${issuer}/` : issuer }), options)
  const issuer = `${made.server.issuer}/`
  made.server.behave('discovery', () => ({ body: { ...made.server.metadata(), issuer } }))
  const access = {
    iss: issuer,
    sub: 'auth0|123456',
    aud: [API, `${issuer}userinfo`],
    azp: 'my_client_id',
    scope: 'openid profile read:orders',
    permissions: ['read:orders', 'write:orders'],
    [`${NAMESPACE}/groups`]: ['Engineering'],
    [`${NAMESPACE}/app.metadata`]: { plan: 'gold' },
  }
  return { made, access }
}

test.each([true, false])('the issuer is configured with its slash or without: %s', async (slash) => {
  const { made, access } = await start(BEARER, slash)
  expect(await made.statusOf(access)).toBe(200)
  expect(await made.statusOf({ ...access, iss: `${String(access['iss'])}/` })).toBe(401)
  expect(await made.statusOf({ ...access, aud: [`${String(access['iss'])}userinfo`] })).toBe(401)
})

test.each(['JWT', 'at+jwt'])('the token is of the type %s, as its profile has it', async (typ) => {
  const { made, access } = await start(BEARER)
  expect(await made.statusOf(access, { typ })).toBe(200)
})

test('permissions are required in place of scopes', async () => {
  const { made, access } = await start({
    ...BEARER,
    scopesRequired: ['read:orders write:orders'],
    scopesClaim: ['permissions'],
  })
  expect(await made.statusOf(access)).toBe(200)
  expect(await made.statusOf({ ...access, permissions: ['read:orders'] })).toBe(403)
  expect(await made.statusOf({ ...access, permissions: [] })).toBe(403)
})

test('claims that are named by URLs are required, mapped and judged like any other', async () => {
  const { made, access } = await start(
    {
      ...BEARER,
      groupsRequired: ['Engineering'],
      groupsClaim: [`${NAMESPACE}/groups`],
      authenticatedGroupsClaim: [`${NAMESPACE}/groups`],
      upstreamHeadersClaims: [`${NAMESPACE}/groups`],
      upstreamHeadersNames: ['X-Groups'],
      upstreamHeaders: [{ header: 'X-Plan', path: [`${NAMESPACE}/app.metadata`, 'plan'] }],
    },
    true,
    { annotations: { 'ostiary.dev/allow-groups': 'Engineering' } },
  )
  expect(await made.told('X-Groups', access)).toEqual(['Engineering'])
  expect(await made.told('X-Plan', access)).toEqual(['gold'])
  expect(await made.statusOf({ ...access, [`${NAMESPACE}/groups`]: ['Sales'] })).toBe(403)
  // A namespaced name is one key, and no path into an object.
  expect(await made.statusOf({ ...access, [`${NAMESPACE}/groups`]: undefined, https: {} })).toBe(403)
})

test('a login asks for the audience; without one the access token is encrypted, and claims come from the ID token', async () => {
  const spec = { authMethods: ['session', 'authorization_code'], upstreamHeadersClaims: ['sub'] }
  const { made, access } = await start({ ...spec, upstreamHeadersNames: ['X-Sub'], audience: [API] })
  const issuer = access['iss']
  const encrypted = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVy.dGFn'
  const login = await made.login(async (right) => ({
    access_token: encrypted,
    token_type: 'Bearer',
    expires_in: 86_400,
    scope: 'openid profile',
    id_token: await made.token({ ...right, iss: issuer, sub: 'auth0|123456' }),
  }))
  expect(login.asked.get('audience')).toBe(API)
  expect([login.status, login.headers['X-Sub']]).toEqual([200, ['auth0|123456']])
  expect((await made.get(encrypted)).status).toBe(401)
})

test('its refusal of a client, which says access_denied, is 401', async () => {
  const { made } = await start({ authMethods: ['client_credentials'], audience: [API] })
  made.server.behave('token', () => ({
    status: 401,
    body: { error: 'access_denied', error_description: 'Unauthorized' },
  }))
  const authorization = `Basic ${Buffer.from('client:wrong').toString('base64')}`
  expect((await fetch(`${made.ostiary.url}/app`, { headers: { authorization } })).status).toBe(401)
})
