import { expect, test } from 'vitest'
import { Provider, type Claims } from './provider.ts'

// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html:
// there is no aud, the client is in client_id, and access and ID token are signed with different keys.
const ACCESS: Claims = {
  sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  device_key: 'device',
  'cognito:groups': ['admins', 'testgroup'],
  client_id: 'web-client',
  origin_jti: 'o',
  event_id: 'e',
  token_use: 'access',
  scope: 'orders/read openid',
  auth_time: 1_676_312_777,
  jti: 'j',
  username: 'my-test-user',
}
const ID: Claims = { ...ACCESS, token_use: 'id', aud: 'web-client', client_id: undefined, scope: undefined }

test('access tokens have no aud: the client is required in its place', async () => {
  const made = await Provider.start({
    authMethods: ['bearer'],
    audienceRequired: ['web-client', 'mobile-client'],
    audienceClaim: ['client_id'],
    scopesRequired: ['orders/read'],
  })
  expect(await made.statusOf(ACCESS)).toBe(200)
  expect(await made.statusOf({ ...ACCESS, client_id: 'stranger' })).toBe(403)
  expect(await made.statusOf({ ...ACCESS, client_id: undefined })).toBe(403)
  expect(await made.statusOf(ID)).toBe(401)
})

test('where an audience is asked for, a token without any is refused', async () => {
  const made = await Provider.start({ authMethods: ['bearer'], audience: ['web-client'] })
  expect(await made.statusOf(ACCESS)).toBe(401)
  expect(await made.statusOf(ID)).toBe(401)
})

test('cognito:groups is one key, and its groups let in', async () => {
  const made = await Provider.start(
    {
      authMethods: ['bearer'],
      authenticatedGroupsClaim: ['cognito:groups'],
      groupsClaim: ['cognito:groups'],
    },
    { annotations: { 'ostiary.dev/allow-groups': 'admins' } },
  )
  expect(await made.told('X-Authenticated-Groups', ACCESS)).toEqual(['admins, testgroup'])
  expect(await made.statusOf({ ...ACCESS, 'cognito:groups': ['testgroup'] })).toBe(403)
  expect(await made.statusOf({ ...ACCESS, 'cognito:groups': undefined })).toBe(403)
})

test('its two keys verify each what they signed', async () => {
  const made = await Provider.start({ authMethods: ['session', 'authorization_code', 'bearer'] })
  const idKey = made.server.signingKey
  const access = await (async () => {
    await made.server.rotateKeys()
    return made.token(ACCESS)
  })()
  const keys = [idKey.publicJwk, made.server.signingKey.publicJwk]
  made.server.behave('keys', () => ({ body: { keys } }))
  expect((await made.get(access)).status).toBe(200)
  const login = await made.login(async (right) => {
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: made.server.issuer, iat, exp: iat + 300, ...right, token_use: 'id' }
    const idToken = await made.server.sign(claims, idKey)
    return { access_token: access, id_token: idToken, token_type: 'Bearer', expires_in: 3600 }
  })
  expect(login.status).toBe(200)
})
