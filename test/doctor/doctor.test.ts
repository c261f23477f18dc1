import { describe, expect, test } from 'vitest'
import { APP, examine, file, loginManifests, run, startServer } from './setup.ts'

describe('a plugin that works', () => {
  test('passes every check, and nothing was issued or used up', async () => {
    const server = await startServer()
    const { failures, report, of, one } = await examine(loginManifests(server.issuer))
    expect(failures).toBe(0)
    expect(report).toMatchObject({ plugin: 'default/app', issuer: server.issuer })
    expect(one('plugin')).toEqual(['ok', 'default/app is accepted', ''])
    expect(one('routes')[0]).toBe('ok')
    expect(one('discovery')[0]).toBe('ok')
    expect(one('clock')[0]).toBe('ok')
    expect(one('keys')).toEqual(['ok', '1 of 1 can verify signatures', ''])
    expect(of('client').map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
    expect(one('scopes')[0]).toBe('ok')
    expect(one('redirect URI')).toEqual(['ok', 'https://app.example.com/oauth2/callback is registered', ''])
    const asked = server.faults.calls.filter(({ method }) => method === 'POST')
    expect(asked.map(({ endpoint }) => endpoint)).toEqual(['introspect', 'token'])
    expect(asked.map(({ parameters }) => parameters['token'] ?? parameters['code'])).toEqual([
      'made-up-by-ostiary-doctor',
      'made-up-by-ostiary-doctor',
    ])
  })

  test('each discovered endpoint is asked a handful of times, not hammered', async () => {
    const server = await startServer()
    await examine(loginManifests(server.issuer))
    expect(server.faults.calls.length).toBeLessThan(10)
  })

  test('the text for a pipe has words and no marks, and sums up', async () => {
    const server = await startServer()
    const { printed } = await run('app', { filename: await file(loginManifests(server.issuer)) })
    expect(printed).toMatch(
      /^default\/app at http:\/\/localhost:\d+\/oauth2\/default\n\nok {7}plugin {8}default\/app is/,
    )
    expect(printed).not.toMatch(/[✓✗–]/)
    expect(printed).toMatch(/\n0 failed, 0 to look at, \d+ ok, \d+ skipped\n$/)
  })
})

describe('the plugin', () => {
  test('that does not exist fails, and the others are named', async () => {
    const { failures, one } = await examine(loginManifests('https://login.example.com'), 'shop/app')
    expect(failures).toBe(1)
    expect(one('plugin')).toEqual([
      'failed',
      'there is no OIDCPlugin shop/app',
      expect.stringContaining('default/app'),
    ])
  })

  test("that is refused fails with the compiler's words, and no server is asked", async () => {
    const server = await startServer()
    const { failures, report, one } = await examine(loginManifests(server.issuer, { scopesRequire: ['x'] }))
    expect(failures).toBe(1)
    expect(one('plugin')[1]).toContain('scopesRequire')
    expect(report.findings).toHaveLength(1)
    expect(server.faults.calls).toEqual([])
  })

  test('whose Secret is absent fails with the line that creates or labels it', async () => {
    const manifests = loginManifests('https://login.example.com', { clientSecretRef: { name: 'nowhere' } })
    const { failures, one } = await examine(manifests)
    expect(failures).toBe(1)
    expect(one('plugin')[1]).toContain('nowhere')
  })

  test('warnings of the compiler are told too', async () => {
    const server = await startServer()
    const { failures, of } = await examine(loginManifests(server.issuer, { insecureSkipNonceCheck: true }))
    expect(failures).toBe(0)
    expect(of('plugin').map(({ outcome }) => outcome)).toEqual(['ok', 'warning'])
  })

  test('that no route names is worth a look', async () => {
    const server = await startServer()
    const manifests = loginManifests(server.issuer).replace(
      'ostiary.dev/plugins: app',
      'ostiary.dev/public: "true"',
    )
    expect((await examine(manifests)).one('routes')[0]).toBe('warning')
  })
})

describe('discovery', () => {
  test('of another issuer fails and names both', async () => {
    const server = await startServer()
    server.faults.discoveryIssuer = 'https://other.example.com\u001b[31m'
    const { failures, one, of } = await examine(loginManifests(server.issuer))
    expect(failures).toBe(1)
    const [outcome, found, fix] = one('discovery')
    expect(outcome).toBe('failed')
    expect(found).toContain('https://other.example.com [31m')
    expect(found).toContain(server.issuer)
    expect(fix).toContain('spec.issuer')
    for (const check of ['keys', 'client', 'scopes', 'redirect URI'] as const) {
      expect(of(check).map(({ outcome }) => outcome)).toEqual(['skipped'])
    }
  })

  test('of a server that is away fails with the code of the error', async () => {
    const server = await startServer()
    await server.faults.down('refused')
    const { one } = await examine(loginManifests(server.issuer))
    expect(one('discovery')[1]).toMatch(/cannot be reached: ECONNREFUSED$/)
  })

  test.each([
    [404, '<h1>Not found</h1>'],
    [200, '<html>Sign in</html>'],
  ])('that answers %i with HTML fails', async (status, body) => {
    const server = await startServer()
    server.faults.answer('discovery', { status, body })
    expect((await examine(loginManifests(server.issuer))).one('discovery')[0]).toBe('failed')
  })
})

describe('keys', () => {
  test('that are none fail', async () => {
    const server = await startServer()
    server.faults.answer('keys', { status: 200, body: { keys: [] } })
    expect((await examine(loginManifests(server.issuer))).one('keys')[0]).toBe('failed')
  })

  test('that cannot verify a signature fail', async () => {
    const server = await startServer()
    const keys = [
      { kty: 'RSA', use: 'enc', n: 'AQAB', e: 'AQAB' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    ]
    server.faults.answer('keys', { status: 200, body: { keys } })
    const [outcome, found] = (await examine(loginManifests(server.issuer))).one('keys')
    expect([outcome, found]).toEqual(['failed', 'none of 2 keys can verify a signature'])
  })
})

describe('the client', () => {
  test("with a wrong secret fails at both endpoints, with Okta's menus and the Secret's name", async () => {
    const server = await startServer()
    const { failures, of } = await examine(loginManifests(server.issuer, {}, 'wrong-secret'))
    expect(failures).toBe(2)
    for (const { outcome, found, fix } of of('client')) {
      expect(outcome).toBe('failed')
      expect(found).toContain(
        'invalid_client (The client secret supplied for a confidential client is invalid.)',
      )
      expect(fix).toContain('General > Client Credentials')
      expect(fix).toContain('kubectl create secret generic app -n default --from-literal=clientSecret=')
    }
  })

  test('that is unknown, or was deactivated, fails', async () => {
    const server = await startServer()
    const unknown = await examine(loginManifests(server.issuer, { clientId: 'nobody' }))
    expect(unknown.of('client').map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
    server.faults.deactivateClient('the-app')
    const inactive = await examine(loginManifests(server.issuer))
    expect(inactive.of('client').map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
  })

  test('that may not sign people in fails with the grant type to tick', async () => {
    const server = await startServer({ clients: [{ ...APP, grantTypes: ['client_credentials'] }] })
    const [, atToken] = (await examine(loginManifests(server.issuer))).of('client')
    expect(atToken).toMatchObject({ outcome: 'failed', fix: expect.stringContaining('"Authorization Code"') })
  })

  test('is not asked for where the plugin has none', async () => {
    const server = await startServer()
    const spec = { authMethods: ['bearer'], clientId: undefined, clientSecretRef: undefined }
    const { one, failures } = await examine(loginManifests(server.issuer, spec))
    expect(failures).toBe(0)
    expect(one('client')[0]).toBe('skipped')
  })
})

describe('the redirect URI', () => {
  test('that is not registered fails, and the fix has it word for word', async () => {
    const server = await startServer({
      clients: [{ ...APP, redirectUris: ['https://elsewhere.example/cb'] }],
    })
    const [outcome, found, fix] = (await examine(loginManifests(server.issuer))).one('redirect URI')
    expect(outcome).toBe('failed')
    expect(found).toContain(
      'https://app.example.com/oauth2/callback or http://app.example.com/oauth2/callback',
    )
    expect(fix).toMatch(
      /LOGIN > Sign-in redirect URIs, and add exactly https:\/\/app\.example\.com\/oauth2\/callback/,
    )
  })

  test('is the https one alone where the Ingress has TLS or the plugin names it', async () => {
    const server = await startServer({
      clients: [{ ...APP, redirectUris: ['http://app.example.com/oauth2/callback'] }],
    })
    expect((await examine(loginManifests(server.issuer))).one('redirect URI')[0]).toBe('ok')
    const redirectUri = 'https://app.example.com/signed-in'
    const { of } = await examine(loginManifests(server.issuer, { redirectUri }))
    expect(of('redirect URI')).toMatchObject([
      { outcome: 'failed', found: `${redirectUri} is not registered` },
    ])
  })

  test('of a port or a hostless route is told by --url', async () => {
    const redirectUris = ['http://localhost:8080/oauth2/callback']
    const server = await startServer({ clients: [{ ...APP, redirectUris }] })
    const manifests = loginManifests(server.issuer).replace('host: app.example.com', 'host: ""')
    expect((await examine(manifests)).one('redirect URI')[0]).toBe('skipped')
    const told = await examine(manifests, 'app', { url: 'http://localhost:8080/app?x=1' })
    expect(told.one('redirect URI')[0]).toBe('ok')
  })

  test('where the server sends everybody to its sign-in page cannot be told', async () => {
    const server = await startServer()
    const headers = { Location: 'https://login.example.com/signin' }
    server.faults.answer('authorize', { status: 302, headers })
    const { failures, one } = await examine(loginManifests(server.issuer))
    expect([failures, one('redirect URI')[0]]).toEqual([0, 'warning'])
  })

  test('to a lookalike host does not count as registered', async () => {
    const server = await startServer()
    const Location = 'https://app.example.com.evil.example/oauth2/callback?error=login_required'
    server.faults.answer('authorize', { status: 302, headers: { Location } })
    expect((await examine(loginManifests(server.issuer))).one('redirect URI')[0]).toBe('warning')
  })

  test('of a server that answers 503 fails', async () => {
    const server = await startServer()
    server.faults.answer('authorize', { status: 503 })
    expect((await examine(loginManifests(server.issuer))).one('redirect URI')[0]).toBe('failed')
  })
})

describe('scopes', () => {
  test('that do not exist fail a login, and the fix names them', async () => {
    const server = await startServer()
    const [outcome, found, fix] = (
      await examine(loginManifests(server.issuer, { scopes: ['openid', 'read.everything'] }))
    ).one('scopes')
    expect([outcome, found]).toEqual(['failed', expect.stringContaining('invalid_scope')])
    expect(fix).toMatch(/Authorization Servers > default > Scopes > Add Scope: read\.everything,/)
  })

  test('that the access policy refuses fail with the way to it', async () => {
    const server = await startServer({ clients: [{ ...APP, scopes: ['openid'] }] })
    const { one } = await examine(loginManifests(server.issuer))
    expect(one('scopes')).toEqual([
      'failed',
      expect.stringContaining('access_denied'),
      expect.stringContaining('default > Access Policies'),
    ])
    expect(one('redirect URI')[0]).toBe('ok')
  })

  test('that are not listed for callers are worth a look', async () => {
    const server = await startServer()
    const spec = {
      authMethods: ['client_credentials'],
      clientId: undefined,
      clientSecretRef: undefined,
      scopes: ['openid', 'read.everything'],
    }
    const [outcome, found] = (await examine(loginManifests(server.issuer, spec))).one('scopes')
    expect([outcome, found]).toEqual(['warning', expect.stringContaining('does not list read.everything')])
  })
})

describe('client credentials with a client of its own', () => {
  const spec = { authMethods: ['client_credentials', 'bearer'], scopes: ['orders.read'] }

  test('show the granted scopes and the audience of the token', async () => {
    const server = await startServer()
    const { failures, one } = await examine(
      loginManifests(server.issuer, { ...spec, audienceRequired: ['api://default'] }),
    )
    expect(failures).toBe(0)
    expect(one('scopes')).toEqual(['ok', 'granted to the-app by client credentials: orders.read', ''])
    expect(one('audience')[0]).toBe('ok')
  })

  test('an audience that tokens do not have fails', async () => {
    const server = await startServer()
    const manifests = loginManifests(server.issuer, { ...spec, audienceRequired: ['api://other'] })
    expect((await examine(manifests)).one('audience')).toEqual([
      'failed',
      'tokens are for api://default, and the plugin asks for api://other',
      expect.stringContaining('default > Settings'),
    ])
  })

  test('a scope that does not exist fails', async () => {
    const server = await startServer()
    const { one } = await examine(loginManifests(server.issuer, { ...spec, scopes: ['nothing'] }))
    expect(one('scopes')[0]).toBe('failed')
  })

  test('a client that may not use the grant says nothing about those of callers', async () => {
    const server = await startServer({ clients: [{ ...APP, grantTypes: ['authorization_code'] }] })
    const { failures, one } = await examine(loginManifests(server.issuer, spec))
    expect([failures, one('scopes')[1]]).toEqual([0, 'the server has orders.read'])
  })
})

test('each step is told before it is taken, and the findings can be had as rows', async () => {
  const server = await startServer()
  const filename = await file(loginManifests(server.issuer))
  const { printed, told } = await run('app', { filename, output: 'table' })
  const steps = told.map((what) => /: ([a-zA-Z ]+)$/.exec(what)?.[1]).filter((step) => step !== undefined)
  expect(steps).toEqual(['discovery', 'keys', 'client', 'client credentials', 'redirect URIs'])
  expect(printed).toMatch(/^OUTCOME +CHECK +FOUND +FIX\n/)
  expect(printed).toMatch(/^ok +discovery +\S/m)
})

describe('groups', () => {
  test('whose claim is not listed are worth a look, with the way to the claim', async () => {
    const server = await startServer()
    const [outcome, , fix] = (
      await examine(loginManifests(server.issuer, { groupsRequired: ['Staff'] }))
    ).one('groups')
    expect(outcome).toBe('warning')
    expect(fix).toContain('default > Claims > Add Claim: Name groups')
  })

  test('whose claim is listed are ok', async () => {
    const server = await startServer()
    const document = await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json()
    server.faults.answer('discovery', {
      status: 200,
      body: { ...(document as object), claims_supported: ['sub', 'teams'] },
    })
    const { one } = await examine(
      loginManifests(server.issuer, { groupsRequired: ['Staff'], groupsClaim: ['teams', 'names'] }),
    )
    expect(one('groups')[0]).toBe('ok')
  })
})
