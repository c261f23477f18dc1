import { expect, test } from 'vitest'
import { Provider, type Claims } from './provider.ts'

// https://developers.google.com/identity/openid-connect/openid-connect: access tokens are opaque, and there is no
// introspection endpoint (RFC 7662); `hd` names the organization. Of `iss` see verify-id-token.test.ts.
const OPAQUE = 'ya29.a0AfH6SMBx-1'

async function login(
  spec: Readonly<Record<string, unknown>>,
  claims: Claims = {},
): ReturnType<Provider['login']> {
  const made = await Provider.start({ authMethods: ['session', 'authorization_code'], ...spec })
  return made.login(async (right) => ({
    access_token: OPAQUE,
    expires_in: 3599,
    scope: 'openid https://www.googleapis.com/auth/userinfo.email',
    token_type: 'Bearer',
    id_token: await made.token({
      ...right,
      azp: 'app',
      at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
      hd: 'example.com',
      email: 'alice@example.com',
      email_verified: true,
      ...claims,
    }),
  }))
}

test('a login knows the person by the ID token, and upstreams get the opaque token', async () => {
  const { status, headers } = await login({
    upstreamHeadersClaims: ['email', 'email_verified'],
    upstreamHeadersNames: ['X-Email', 'X-Email-Verified'],
  })
  expect(status).toBe(200)
  expect(headers['X-Email']).toEqual(['alice@example.com'])
  expect(headers['X-Email-Verified']).toEqual(['true'])
  expect(headers['Authorization']).toEqual([`Bearer ${OPAQUE}`])
})

test('one organization is let in by hd, and accounts without any are not', async () => {
  const spec = { groupsRequired: ['example.com'], groupsClaim: ['hd'] }
  expect((await login(spec)).status).toBe(200)
  expect((await login(spec, { hd: 'evil.example' })).status).toBe(403)
  expect((await login(spec, { hd: undefined })).status).toBe(403)
})

test('scopes that the token endpoint grants can be required, though the token itself cannot be read', async () => {
  const spec = { scopesRequired: ['https://www.googleapis.com/auth/userinfo.email'] }
  expect((await login(spec)).status).toBe(200)
  expect((await login({ scopesRequired: ['https://www.googleapis.com/auth/drive'] })).status).toBe(403)
})

test('an opaque token is no bearer token here: nobody can be asked about it', async () => {
  const made = await Provider.start({ authMethods: ['bearer'], audience: ['app'] })
  expect((await made.get(OPAQUE)).status).toBe(401)
})

test('an ID token of a login, which has at_hash, is none either', async () => {
  const made = await Provider.start({ authMethods: ['bearer'], audience: ['app'] })
  expect(await made.statusOf({ aud: 'app', sub: '1', at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q' })).toBe(401)
})
