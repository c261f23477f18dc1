import { describe, expect, test } from 'vitest'
import { ingress, oidcPlugin } from '../support/manifests.ts'
import { startLoginApp, type Echoed } from '../support/login-app.ts'
import { WebBrowser } from '../support/web-browser.ts'

test.each(['start', 'callback', 'sign_out', 'userinfo', 'auth', 'backchannel_logout'])(
  '/oauth2/%s never reaches an upstream, whatever the method',
  async (name) => {
    const { browser, apply } = await startLoginApp()
    apply({}, ingress({ name: 'other', path: '/', annotations: { 'ostiary.dev/public': 'true' } }))
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await browser.send(`/oauth2/${name}`, { method })
      // The echo names itself in each answer.
      expect(await answer.text()).not.toContain('"namespace"')
      expect(answer.headers.get('server')).toBe('ostiary')
    }
  },
)

describe('/oauth2/start', () => {
  test.each([
    ['a path', '/app/a%20b?x=1&y=%2F', '/app/a%20b?x=1&y=%2F'],
    ['nothing', undefined, '/'],
    ['a path with a fragment, which no server ever sees', '/app#/route', '/app'],
  ])('logs in and returns to %s', async (_name, rd, expected) => {
    const { browser } = await startLoginApp()
    const query = rd === undefined ? '' : `?rd=${encodeURIComponent(rd)}`
    const landed = await browser.login(`/oauth2/start${query}`)
    expect(landed.headers.get('location')).toBe(expected)
    expect(browser.hasSession).toBe(true)
  })

  test('takes a whole URL of its own origin', async () => {
    const { browser, ostiary } = await startLoginApp()
    const landed = await browser.login(`/oauth2/start?rd=${encodeURIComponent(`${ostiary.url}/app?x=1`)}`)
    expect(landed.headers.get('location')).toBe('/app?x=1')
  })

  test('refuses to return to another site, however it is written', async () => {
    const { browser } = await startLoginApp()
    for (const rd of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example/',
      '/%2fevil.example/',
      '/%252fevil.example/',
      '/\t/evil.example/',
      'https:evil.example',
      'javascript:alert(1)',
      'http://127.0.0.1@evil.example/',
      'http://127.0.0.1\\@evil.example/',
      'http://127.0.0.1.evil.example/',
      'HTTP://evil.example',
      'app',
      '',
    ]) {
      const answer = await browser.navigate(`/oauth2/start?rd=${encodeURIComponent(rd)}`)
      expect([rd, answer.status, answer.headers.get('location')]).toEqual([rd, 400, null])
      expect(answer.headers.getSetCookie()).toEqual([])
    }
  })

  test.each([
    '/oauth2/sign_out',
    '/oauth2/sign_out?plugin=app',
    '/oauth2/%73ign_out',
    '/a/%2e%2e/oauth2/./sign_out',
  ])('does not lead to %s, which a page of ours would open as if the person had', async (rd) => {
    const { browser } = await startLoginApp({ sessionCookieSameSite: 'Strict' })
    const answer = await browser.navigate(`/oauth2/start?rd=${encodeURIComponent(rd)}`, 'cross-site')
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })

  test('refuses two addresses to return to', async () => {
    const { browser } = await startLoginApp()
    expect((await browser.navigate('/oauth2/start?rd=/app&rd=//evil.example')).status).toBe(400)
  })

  test('logs in anew where somebody is signed in', async () => {
    const { browser } = await startLoginApp()
    await browser.login('/app', 'bob@example.com')
    const start = await browser.navigate('/oauth2/start?rd=/app', 'same-origin')
    const somebodyElse = new WebBrowser(browser.origin)
    await browser.navigate((await somebodyElse.signIn(start, 'alice@example.com')).href)
    const echoed = (await (await browser.navigate('/app')).json()) as Echoed
    const [token = ''] = echoed.headers['Authorization'] ?? []
    expect(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).toContain('alice@example.com')
  })

  test('is 401 for scripts, which could not follow it', async () => {
    const { browser } = await startLoginApp()
    const answer = await browser.script('/oauth2/start')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('location')).toBeNull()
  })

  test('asks which of several plugins is meant', async () => {
    const { browser, apply, authorizationServer } = await startLoginApp()
    apply(
      {},
      oidcPlugin('second', {
        issuer: authorizationServer.issuer,
        authMethods: ['session', 'authorization_code'],
        clientId: 'ostiary',
        clientSecretRef: { name: 'client' },
        sessionCookieName: 'second',
      }),
      ingress({ name: 'second', path: '/second', annotations: { 'ostiary.dev/plugins': 'second' } }),
    )
    expect((await browser.navigate('/oauth2/start')).status).toBe(400)
    expect((await browser.navigate('/oauth2/start?plugin=other')).status).toBe(400)
    await browser.login('/oauth2/start?plugin=second&rd=/second')
    expect((await browser.navigate('/second')).status).toBe(200)
    expect((await browser.navigate('/app')).status).toBe(302)
    await browser.login('/oauth2/start?plugin=default%2Fapp&rd=/app')
    expect((await browser.navigate('/app')).status).toBe(200)
    expect((await browser.navigate('/second')).status).toBe(200)
  })
})

describe('/oauth2/userinfo', () => {
  test('tells who is signed in, as oauth2-proxy does', async () => {
    const { browser } = await startLoginApp()
    await browser.login('/app')
    const answer = await browser.script('/oauth2/userinfo')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(await answer.json()).toEqual({
      user: 'alice@example.com',
      email: 'alice@example.com',
      groups: ['Everyone', 'Engineering'],
      preferredUsername: 'alice@example.com',
    })
  })

  test('is 401 for nobody, and clears what is no session', async () => {
    const { browser } = await startLoginApp()
    expect((await browser.script('/oauth2/userinfo')).status).toBe(401)
    await browser.login('/app')
    const [pair = ''] = browser.jar.header(new URL(browser.origin)).split('; ')
    const answer = await browser.send('/oauth2/userinfo', { headers: { cookie: `${pair}x` } })
    expect(answer.status).toBe(401)
    expect(browser.hasSession).toBe(false)
  })
})

describe('/oauth2/auth', () => {
  const TOKENS = { authMethods: ['session', 'bearer', 'authorization_code'] }

  test('is 200 with a session and 401 without, never a redirect', async () => {
    const { browser } = await startLoginApp()
    const nobody = await browser.navigate('/oauth2/auth')
    expect([nobody.status, nobody.headers.get('location')]).toEqual([401, null])
    await browser.login('/app')
    const somebody = await browser.script('/oauth2/auth')
    expect([somebody.status, await somebody.text()]).toEqual([200, ''])
    expect([...somebody.headers.keys()].filter((name) => name.startsWith('x-auth-request'))).toEqual([])
  })

  test('is 200 with a token that the plugin takes, and 401 with any other', async () => {
    const { browser, authorizationServer } = await startLoginApp({ ...TOKENS, audience: ['api://default'] })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: authorizationServer.issuer,
      aud: 'api://default',
      sub: 'x',
      iat: now,
      exp: now + 60,
    }
    const ask = async (token: string) =>
      (await browser.send('/oauth2/auth', { headers: { authorization: `Bearer ${token}` } })).status
    expect(await ask(await authorizationServer.sign(claims))).toBe(200)
    expect(await ask(await authorizationServer.sign({ ...claims, aud: 'api://other' }))).toBe(401)
    expect(await ask('nonsense')).toBe(401)
  })

  test('says nothing about what a route lets its token do', async () => {
    const { browser, authorizationServer, apply } = await startLoginApp({
      ...TOKENS,
      audience: ['api://default'],
      authenticatedGroupsClaim: ['groups'],
    })
    const annotations = { 'ostiary.dev/plugins': 'app', 'ostiary.dev/allow-groups': 'admins' }
    apply({}, ingress({ name: 'admin', path: '/admin', annotations }))
    const now = Math.floor(Date.now() / 1000)
    const claims = { aud: 'api://default', sub: 'x', groups: ['guests'], iat: now, exp: now + 60 }
    const token = await authorizationServer.sign({ ...claims, iss: authorizationServer.issuer })
    const ask = async (path: string): Promise<number> =>
      (await browser.send(path, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await ask('/oauth2/auth')).toBe(200)
    expect(await ask('/admin')).toBe(403)
  })

  test('is 403 for somebody without a required group, even where the policy has a page for them', async () => {
    const { browser, apply } = await startLoginApp()
    await browser.login('/app', 'bob@example.com')
    apply({ groupsRequired: ['Engineering'], forbiddenRedirectUri: 'https://www.example.com/denied' })
    const answer = await browser.navigate('/oauth2/auth')
    expect([answer.status, answer.headers.get('location')]).toEqual([403, null])
  })

  test('judges its own request, whatever headers say of another', async () => {
    const { browser } = await startLoginApp()
    for (const name of ['x-forwarded-uri', 'x-original-url', 'x-original-uri', 'x-forwarded-method']) {
      const answer = await browser.send('/oauth2/auth', { headers: { [name]: '/public' } })
      expect(answer.status).toBe(401)
    }
  })

  test.each([
    ['a preflight', 'OPTIONS', { origin: 'https://a.example', 'access-control-request-method': 'GET' }],
    ['POST', 'POST', {}],
  ])('%s is no question', async (_name, method, headers: Record<string, string>) => {
    const { browser } = await startLoginApp()
    expect((await browser.send('/oauth2/auth', { method, headers })).status).toBe(405)
  })

  test('the fallback consumer is nobody here', async () => {
    const { browser, apply } = await startLoginApp()
    apply(
      { anonymous: 'guest', consumerClaims: [['sub']], consumerOptional: true },
      {
        apiVersion: 'ostiary.dev/v1alpha1',
        kind: 'Consumer',
        metadata: { name: 'guest' },
        spec: { username: 'guest' },
      },
    )
    expect((await browser.script('/app')).status).toBe(200)
    expect((await browser.script('/oauth2/auth')).status).toBe(401)
  })

  test('tells who it is where the preset is on, but not the token', async () => {
    const { browser } = await startLoginApp({ upstreamHeadersPreset: 'x-auth-request' })
    await browser.login('/app')
    const { headers } = await browser.script('/oauth2/auth')
    expect(Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-')))).toMatchObject({
      'x-auth-request-user': 'alice@example.com',
      'x-auth-request-email': 'alice@example.com',
      'x-auth-request-groups': 'Everyone, Engineering',
      'x-auth-request-preferred-username': 'alice@example.com',
    })
    expect(headers.get('x-auth-request-access-token')).toBeNull()
    expect(headers.get('x-forwarded-user')).toBeNull()
  })
})

describe('upstreamHeadersPreset x-auth-request', () => {
  test('tells upstreams what oauth2-proxy tells them, and a client cannot', async () => {
    const { browser } = await startLoginApp({ upstreamHeadersPreset: 'x-auth-request' })
    await browser.login('/app')
    const forged = { 'X-Auth-Request-User': 'root', x_forwarded_groups: 'admin', 'X-Forwarded-Email': 'a@b' }
    const { headers } = (await (await browser.script('/app', { headers: forged })).json()) as Echoed
    for (const prefix of ['X-Auth-Request-', 'X-Forwarded-']) {
      expect(headers[`${prefix}User`]).toEqual(['alice@example.com'])
      expect(headers[`${prefix}Email`]).toEqual(['alice@example.com'])
      expect(headers[`${prefix}Groups`]).toEqual(['Everyone, Engineering'])
      expect(headers[`${prefix}Preferred-Username`]).toEqual(['alice@example.com'])
      expect(headers[`${prefix}Access-Token`]).toEqual([expect.stringMatching(/^eyJ/)])
    }
    expect(JSON.stringify(headers)).not.toMatch(/root|admin|a@b/)
  })

  test('is off unless asked for', async () => {
    const { browser } = await startLoginApp()
    await browser.login('/app')
    const { headers } = (await (await browser.script('/app')).json()) as Echoed
    expect(Object.keys(headers).filter((name) => /^X-(Auth-Request|Forwarded-User)/.test(name))).toEqual([])
  })
})

test('gRPC calls are refused in its own words, and never redirected', async () => {
  const { browser } = await startLoginApp()
  const ask = (contentType: string) =>
    browser.send('/app/Service/Method', {
      method: 'POST',
      headers: { 'content-type': contentType, te: 'trailers' },
    })
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc-web-text']) {
    const answer = await ask(type)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toBe(type)
    expect(answer.headers.get('grpc-status')).toBe('16')
    expect(answer.headers.get('grpc-message')).toBe('Unauthorized')
    expect(answer.headers.get('location')).toBeNull()
    expect(await answer.text()).toBe('')
  }
  expect((await ask('application/grpcx')).headers.get('grpc-status')).toBeNull()
  await browser.login('/app')
  // A session, but nothing that says which page sent it.
  expect((await ask('application/grpc')).headers.get('grpc-status')).toBe('7')
})
