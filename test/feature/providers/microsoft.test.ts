import { describe, expect, test } from 'vitest'
import { Provider, type Claims } from './provider.ts'

// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
const API = '6e74172b-be56-4843-9ff4-e66a39bb12e3'
const GROUP = '0a1b2c3d-0000-4000-8000-000000000001'
const V2: Claims = {
  aud: API,
  azp: '9bc3f1d8-0000-4000-8000-000000000002',
  azpacr: '1',
  name: 'Alice',
  oid: '11111111-0000-4000-8000-000000000003',
  preferred_username: 'alice@contoso.com',
  rh: 'I',
  scp: 'Orders.Read Orders.Write',
  sub: 'pairwise-subject',
  tid: 'tenant',
  uti: 'u',
  ver: '2.0',
}
const BEARER = { authMethods: ['bearer'], audience: [API] }

describe('Entra ID', () => {
  test('scopes come in scp, as one string parted by spaces', async () => {
    const made = await Provider.start({ ...BEARER, scopesRequired: ['Orders.Read'] })
    expect(await made.statusOf(V2)).toBe(200)
    expect(await made.statusOf({ ...V2, scp: 'Orders.ReadAll' })).toBe(403)
  })

  test('a daemon has roles and no scp', async () => {
    const made = await Provider.start({ ...BEARER, rolesRequired: ['Orders.Process.All'] })
    const daemon = { ...V2, scp: undefined, idtyp: 'app', roles: ['Orders.Process.All'] }
    expect(await made.statusOf(daemon)).toBe(200)
    expect(await made.statusOf({ ...daemon, roles: undefined })).toBe(403)
  })

  test('more groups than a token holds are named in the refusal, and not mistaken for none', async () => {
    const made = await Provider.start({ ...BEARER, groupsRequired: [GROUP], displayErrors: true })
    expect(await made.statusOf({ ...V2, groups: [GROUP] })).toBe(200)
    const overage = {
      ...V2,
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: 'https://graph.microsoft.com/v1.0/users/1/getMemberObjects' } },
    }
    const answer = await made.get(await made.token(overage))
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('group_overage')
  })

  test('a v1 token of the same tenant passes where its issuer is allowed, and its audience is the URI', async () => {
    const v1 = {
      ...V2,
      iss: 'https://sts.windows.net/tenant/',
      aud: 'api://orders',
      appid: 'client',
      ver: '1.0',
    }
    const strict = await Provider.start({ ...BEARER, audience: [API, 'api://orders'] })
    expect(await strict.statusOf(v1)).toBe(401)
    const both = await Provider.start((issuer) => ({
      ...BEARER,
      audience: [API, 'api://orders'],
      issuersAllowed: [issuer, 'https://sts.windows.net/tenant/'],
    }))
    expect(await both.statusOf(v1)).toBe(200)
    expect(await both.statusOf(V2)).toBe(200)
    expect(await both.statusOf({ ...v1, iss: 'https://sts.windows.net/other/' })).toBe(401)
  })

  test("a token for Microsoft Graph, whose header's nonce makes it Graph's alone to verify, is none of ours", async () => {
    const made = await Provider.start({ authMethods: ['bearer'] })
    const graph = { ...V2, aud: '00000003-0000-0000-c000-000000000000' }
    const [header = '', ...rest] = (await made.token(graph)).split('.')
    const inner = JSON.parse(Buffer.from(header, 'base64url').toString()) as Claims
    // What travels holds another nonce than what was signed: its SHA-256 is.
    const outer = Buffer.from(JSON.stringify({ ...inner, nonce: 'n' })).toString('base64url')
    expect((await made.get([outer, ...rest].join('.'))).status).toBe(401)
    const named = await Provider.start(BEARER)
    expect(await named.statusOf(graph)).toBe(401)
  })

  test('a login keeps such a token unread, and knows the person by the ID token where that says more', async () => {
    const made = await Provider.start({
      authMethods: ['session', 'authorization_code'],
      upstreamHeadersClaims: ['email'],
      upstreamHeadersNames: ['X-Email'],
    })
    const login = await made.login(async (right) => ({
      access_token: await made.token({ aud: '00000003-0000-0000-c000-000000000000' }, { nonce: 'n' }),
      token_type: 'Bearer',
      expires_in: '3599',
      ext_expires_in: 3599,
      id_token: await made.token({ ...right, ver: '2.0', email: 'alice@contoso.com' }),
    }))
    expect([login.status, login.headers['X-Email']]).toEqual([200, ['alice@contoso.com']])
  })

  test('the metadata of all tenants, whose issuer is a template, is the metadata of none', async () => {
    const made = await Provider.start(BEARER)
    const issuer = 'https://login.microsoftonline.com/{tenantid}/v2.0'
    made.server.behave('discovery', () => ({ body: { ...made.server.metadata(), issuer } }))
    expect(await made.statusOf(V2)).toBe(503)
    expect(await made.statusOf({ ...V2, iss: issuer })).toBe(401)
  })

  test('keys come without alg, with x5c and a kid that is the thumbprint', async () => {
    const made = await Provider.start(BEARER)
    const [{ alg: _alg, ...key } = {}] = made.server.keySet().keys
    made.server.behave('keys', () => ({
      body: { keys: [{ ...key, x5t: key.kid, x5c: ['MIIC'], cloud_instance_name: 'microsoftonline.com' }] },
    }))
    expect(await made.statusOf(V2)).toBe(200)
  })

  test('a wrong secret, which comes with codes and a trace, is 401', async () => {
    const made = await Provider.start({ ...BEARER, authMethods: ['client_credentials'] })
    made.server.behave('token', () => ({
      status: 401,
      body: {
        error: 'invalid_client',
        error_description: 'AADSTS7000215: Invalid client secret provided. Trace ID: 1',
        error_codes: [7_000_215],
        correlation_id: '1',
      },
    }))
    const authorization = `Basic ${Buffer.from('client:wrong').toString('base64')}`
    const answer = await fetch(`${made.ostiary.url}/app`, { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(await answer.text()).not.toContain('AADSTS')
  })
})

// https://learn.microsoft.com/windows-server/identity/ad-fs/development/ad-fs-openid-connect-oauth-concepts; its
// discovery document has `access_token_issuer`, an http URL, beside `issuer`.
describe('AD FS', () => {
  const ACCESS_TOKEN_ISSUER = 'http://adfs.contoso.com/adfs/services/trust'
  const ACCESS: Claims = {
    iss: ACCESS_TOKEN_ISSUER,
    aud: 'microsoft:identityserver:orders',
    apptype: 'Confidential',
    appid: 'client',
    authmethod: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    ver: '1.0',
    scp: 'openid read_orders',
  }
  const AUDIENCE = ['microsoft:identityserver:orders']

  async function start(spec: Readonly<Record<string, unknown>>): Promise<Provider> {
    const made = await Provider.start({ authMethods: ['bearer'], audience: AUDIENCE, ...spec })
    made.server.behave('discovery', () => ({
      body: { ...made.server.metadata(), access_token_issuer: ACCESS_TOKEN_ISSUER },
    }))
    return made
  }

  test('access tokens name another issuer than ID tokens, which has to be allowed', async () => {
    expect(await (await start({})).statusOf(ACCESS)).toBe(401)
    const made = await start({ issuersAllowed: [ACCESS_TOKEN_ISSUER], scopesRequired: ['read_orders'] })
    expect(await made.statusOf(ACCESS)).toBe(200)
    expect(await made.statusOf({ ...ACCESS, aud: 'urn:microsoft:userinfo' })).toBe(401)
    expect(await made.statusOf({ ...ACCESS, iss: made.server.issuer })).toBe(401)
  })

  test('a login goes by the issuer of ID tokens all the same', async () => {
    const made = await start({
      authMethods: ['session', 'authorization_code'],
      issuersAllowed: [ACCESS_TOKEN_ISSUER],
    })
    const tokens = (claims: Claims) => async (right: Claims) => ({
      access_token: await made.token(ACCESS),
      token_type: 'bearer',
      resource: 'urn:microsoft:userinfo',
      expires_in: 3600,
      id_token: await made.token({ ...right, upn: 'alice@contoso.com', ...claims }),
    })
    expect((await made.login(tokens({}))).status).toBe(200)
    expect(await made.login(tokens({ iss: ACCESS_TOKEN_ISSUER }))).toMatchObject({ landed: 400, status: 302 })
  })
})
