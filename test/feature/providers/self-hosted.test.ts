import { describe, expect, test } from 'vitest'
import { Provider, type Claims } from './provider.ts'

const BEARER = { authMethods: ['bearer'], audience: ['api'] }
const LOGIN = { authMethods: ['session', 'authorization_code'] }

// https://docs.pingidentity.com/pingfederate/latest/administrators_reference_guide/pf_configure_json_token_management.html:
// kid, typ, iss and aud can each be left out or renamed, and keys rotate.
describe('PingFederate', () => {
  const ACCESS: Claims = { aud: 'api', client_id: 'im_client', scope: ['orders.read', 'openid'], sub: 'joe' }

  test('scope may be a list, and kid and typ may be left out', async () => {
    const made = await Provider.start({ ...BEARER, scopesRequired: ['orders.read'] })
    expect(await made.statusOf(ACCESS, { kid: undefined })).toBe(200)
    expect(await made.statusOf(ACCESS, { typ: 'at+jwt' })).toBe(200)
    expect(await made.statusOf({ ...ACCESS, scope: ['orders.read openid'] })).toBe(403)
  })

  test('keys that rotate are found without kid too', async () => {
    const made = await Provider.start(BEARER)
    expect(await made.statusOf(ACCESS, { kid: undefined })).toBe(200)
    await made.server.rotateKeys()
    expect(await made.statusOf({ ...ACCESS, jti: '2' }, { kid: undefined })).toBe(200)
  })

  test('a token without issuer is of nobody', async () => {
    const made = await Provider.start(BEARER)
    expect(await made.statusOf({ ...ACCESS, iss: undefined })).toBe(401)
  })
})

// https://zitadel.com/docs/apis/openidoauth/claims: roles are the names of an object's members.
describe('ZITADEL', () => {
  const ROLES = 'urn:zitadel:iam:org:project:roles'
  const ACCESS: Claims = { aud: ['api', 'web@project'], sub: '1', client_id: 'web@project', jti: 'V2_1' }

  test.each(['EdDSA', 'ES256', 'RS512'])('tokens may be signed with %s', async (algorithm) => {
    const made = await Provider.start(
      { ...BEARER, ...LOGIN, authMethods: [...LOGIN.authMethods, 'bearer'] },
      {
        algorithm,
      },
    )
    expect(await made.statusOf(ACCESS)).toBe(200)
    const login = await made.login(async (right) => ({
      access_token: await made.token(ACCESS),
      token_type: 'Bearer',
      expires_in: 43_199,
      id_token: await made.token({ ...right, azp: 'app', aud: ['app', 'project'] }),
    }))
    expect(login.status).toBe(200)
  })

  test('its object of roles is no list, so that nobody is let in by it; one of an Action is', async () => {
    const roles = { [ROLES]: { admin: { '165461788680569970': 'acme.zitadel.cloud' } } }
    const nested = await Provider.start({ ...BEARER, rolesRequired: ['admin'], rolesClaim: [ROLES] })
    expect(await nested.statusOf({ ...ACCESS, ...roles })).toBe(403)
    const flat = await Provider.start({ ...BEARER, rolesRequired: ['admin'], rolesClaim: ['permissions'] })
    expect(await flat.statusOf({ ...ACCESS, ...roles, permissions: ['admin'] })).toBe(200)
  })
})

// https://github.com/goauthentik/authentik/blob/main/authentik/providers/oauth2/id_token.py: an access token is the ID
// token with azp and uid beside, and with the nonce where there was one; without a signing key both are HS256.
describe('authentik', () => {
  const ACCESS: Claims = { aud: 'api', sub: 'hash', azp: 'api', uid: 'u', scope: 'openid', sid: 's' }

  test('the access token of a service passes, and one that may be an ID token does not', async () => {
    const made = await Provider.start(BEARER)
    expect(await made.statusOf(ACCESS)).toBe(200)
    expect(await made.statusOf({ ...ACCESS, nonce: 'n' })).toBe(401)
  })

  test('a login passes; signed with the client secret it does not', async () => {
    const made = await Provider.start(LOGIN, { algorithm: 'ES256' })
    const answer = async (right: Claims): Promise<Claims> => ({
      access_token: await made.token({ ...ACCESS, nonce: right['nonce'] }),
      token_type: 'Bearer',
      expires_in: 300,
      id_token: await made.token({ ...right, sid: 's' }),
    })
    expect((await made.login(answer)).status).toBe(200)
    const symmetric = await Provider.start(LOGIN)
    symmetric.server.behave('discovery', () => ({
      body: { ...symmetric.server.metadata(), id_token_signing_alg_values_supported: ['HS256'] },
    }))
    const refused = await symmetric.login(async (right) => ({
      access_token: 'opaque',
      token_type: 'Bearer',
      id_token: await symmetric.token(right),
    }))
    expect(refused).toMatchObject({ landed: 400, status: 302 })
  })
})

// https://github.com/dexidp/dex/blob/master/server/oauth2.go: newAccessToken makes an ID token, nonce included.
describe('Dex', () => {
  test('a login passes; its access token cannot be told from an ID token, and is no bearer token', async () => {
    const made = await Provider.start({
      ...LOGIN,
      authMethods: [...LOGIN.authMethods, 'bearer'],
      audience: ['app'],
    })
    const tokens = { access: '' }
    const login = await made.login(async (right) => {
      tokens.access = await made.token({ ...right, at_hash: 'h', groups: ['admins'] })
      const idToken = await made.token({ ...right, at_hash: 'h', groups: ['admins'] })
      return { access_token: tokens.access, token_type: 'bearer', expires_in: 86_399, id_token: idToken }
    })
    expect(login.status).toBe(200)
    expect((await made.get(tokens.access)).status).toBe(401)
  })
})
