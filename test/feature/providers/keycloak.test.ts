import { expect, test } from 'vitest'
import { Provider, type Claims } from './provider.ts'

// https://www.keycloak.org/docs/latest/server_admin/: roles per realm and per client, kind of token in `typ`, and
// `account` as audience unless a mapper or a role of another client adds one.
const ACCESS: Claims = {
  jti: 'onrtac:1',
  aud: 'account',
  sub: 'f:1',
  typ: 'Bearer',
  azp: 'web',
  sid: 'session-1',
  acr: '1',
  'allowed-origins': ['https://app.example.com'],
  realm_access: { roles: ['default-roles-acme', 'admin'] },
  resource_access: { 'orders.api': { roles: ['read orders'] }, account: { roles: ['view-profile'] } },
  scope: 'openid email profile',
  preferred_username: 'alice',
}
const BEARER = { authMethods: ['bearer'] }

test('roles of the realm and of a client are required by their paths, dots and spaces included', async () => {
  const realm = await Provider.start({
    ...BEARER,
    audience: ['account'],
    rolesRequired: ['admin'],
    rolesClaim: ['realm_access', 'roles'],
  })
  expect(await realm.statusOf(ACCESS)).toBe(200)
  expect(await realm.statusOf({ ...ACCESS, realm_access: { roles: ['default-roles-acme'] } })).toBe(403)
  expect(await realm.statusOf({ ...ACCESS, realm_access: undefined })).toBe(403)
  const client = await Provider.start({
    ...BEARER,
    audience: ['account'],
    rolesRequired: ['"read orders"'],
    rolesClaim: ['resource_access', 'orders.api', 'roles'],
  })
  expect(await client.statusOf(ACCESS)).toBe(200)
  expect(await client.statusOf({ ...ACCESS, resource_access: { 'orders.api': { roles: ['read'] } } })).toBe(
    403,
  )
})

test('a token for the account console is none for an API; azp tells whose it is where that is enough', async () => {
  const strict = await Provider.start({ ...BEARER, audience: ['orders.api'] })
  expect(await strict.statusOf(ACCESS)).toBe(401)
  expect(await strict.statusOf({ ...ACCESS, aud: ['orders.api', 'account'] })).toBe(200)
  const byClient = await Provider.start({ ...BEARER, audienceRequired: ['web'], audienceClaim: ['azp'] })
  expect(await byClient.statusOf(ACCESS)).toBe(200)
  expect(await byClient.statusOf({ ...ACCESS, azp: 'other' })).toBe(403)
})

test('ID, refresh, offline and logout tokens, and tokens bound to a key, are none to call an API with', async () => {
  const made = await Provider.start({ ...BEARER, audience: ['account'] })
  for (const typ of ['ID', 'Refresh', 'Offline', 'Logout']) {
    expect([typ, await made.statusOf({ ...ACCESS, typ })]).toEqual([typ, 401])
  }
  expect(await made.statusOf({ ...ACCESS, typ: 'DPoP', cnf: { jkt: 'thumbprint' } })).toBe(401)
})

test('an access token of a login passes, with the nonce that Keycloak before 24 puts into it too', async () => {
  const made = await Provider.start({ ...BEARER, audience: ['account'] })
  expect(await made.statusOf({ ...ACCESS, nonce: 'n' })).toBe(200)
  expect(await made.statusOf({ ...ACCESS, nonce: 'n', typ: 'ID' })).toBe(401)
})

test('its key set holds a key for encryption beside that for signatures, and certificates', async () => {
  const made = await Provider.start({ ...BEARER, audience: ['account'] })
  const [key] = made.server.keySet().keys
  const encryption = { ...key, kid: 'enc', use: 'enc', alg: 'RSA-OAEP' }
  const certified = { ...key, x5c: ['MIIClzCCAX8='], x5t: 'thumb', 'x5t#S256': 'print' }
  made.server.behave('keys', () => ({ body: { keys: [encryption, certified] } }))
  expect(await made.statusOf(ACCESS)).toBe(200)
  expect(await made.statusOf(ACCESS, { kid: 'enc' })).toBe(401)
  expect(await made.statusOf(ACCESS, { kid: undefined })).toBe(200)
})

test('a login takes the ID token whose azp is the client, and refuses that of another', async () => {
  const made = await Provider.start({ authMethods: ['session', 'authorization_code'] })
  const tokens = (azp: string) => async (right: Claims) => ({
    access_token: await made.token(ACCESS),
    token_type: 'Bearer',
    expires_in: 300,
    refresh_expires_in: 1800,
    'not-before-policy': 0,
    session_state: 'session-1',
    id_token: await made.token({ ...right, typ: 'ID', azp, aud: ['app', 'account'] }),
  })
  expect((await made.login(tokens('app'))).status).toBe(200)
  expect(await made.login(tokens('web'))).toMatchObject({ landed: 400, status: 302 })
})

test('a wrong client secret is 401, as unauthorized_client too', async () => {
  const made = await Provider.start({ authMethods: ['client_credentials'], audience: ['account'] })
  const basic = `Basic ${Buffer.from('service:wrong').toString('base64')}`
  for (const error of ['unauthorized_client', 'invalid_client']) {
    made.server.behave('token', () => ({
      status: 401,
      body: { error, error_description: 'Invalid client or Invalid client credentials' },
    }))
    const url = `${made.ostiary.url}/app`
    expect((await fetch(url, { headers: { authorization: basic } })).status).toBe(401)
  }
})
