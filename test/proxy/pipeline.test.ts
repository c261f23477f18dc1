import { describe, expect, test, vi } from 'vitest'
import type { Authorizer } from '../../src/auth/authorize.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import type { Route, VirtualHost } from '../../src/table/routing-table.ts'
import { aPolicy } from '../support/a-policy.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { ALLOW, bodyOf, GET, noAuthorizer, proxy, upstream } from './support.ts'

const GUARDED: Partial<Route> = {
  action: { kind: 'forward', upstream: 'default/web/80', policies: ['default/plugin'] },
}

/** A host on an upstream that says what it got, and counts. */
async function setUp(host: (route: typeof aRoute) => VirtualHost, authorizer: Authorizer = noAuthorizer) {
  let reached = 0
  const { port } = await upstream(async (request, response) => {
    reached += 1
    const body = await bodyOf(request)
    response.end(JSON.stringify({ url: request.url, headers: request.headers, body }))
  })
  const policies = { 'default/plugin': aPolicy({ id: 'default/plugin' }) }
  const table = aTable([host(aRoute)], { web: [port] }, { policies })
  const running = await proxy(aSnapshot(table), {}, authorizer)
  return { ...running, reached: () => reached }
}

function deciding(decide: () => AuthDecision | Promise<AuthDecision>): Authorizer {
  return { ...noAuthorizer, authorize: decide }
}

const REFUSE: AuthDecision = {
  kind: 'refuse',
  status: 401,
  reason: 'no_credential',
  message: 'Unauthorized',
  wwwAuthenticate: ['Bearer realm="a"', 'Basic realm="b"'],
  responseHeaders: [['Set-Cookie', 'cleared=1']],
}

describe('a route that is not open', () => {
  test('404 where host or path match nothing', async () => {
    const { port, reached } = await setUp((route) => aHost('example.com', [route('web', { path: '/a' })]))
    for (const text of [GET, GET.replace('example.com', 'other.example')]) {
      const response = await rawRequest(port, text)
      expect(response.status).toBe(404)
      expect(response.headers['content-type']).toBe('application/problem+json')
    }
    expect(reached()).toBe(0)
  })

  test.each(['GET', 'POST', 'OPTIONS', 'HEAD'])('503 to %s where it is closed', async (method) => {
    const { port, reached } = await setUp((route) =>
      aHost('example.com', [
        route('web', {
          action: { kind: 'closed', reason: 'PluginNotFound', message: 'default/secret-name' },
        }),
      ]),
    )
    const preflight = 'Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n'
    const text = `${method} / HTTP/1.1\r\nHost: example.com\r\n${preflight}Content-Length: 0\r\n\r\n`
    const response = await rawRequest(port, text)
    expect(response.status).toBe(503)
    expect(response.body).not.toContain('secret-name')
    expect(reached()).toBe(0)
  })

  test('503 before the first snapshot', async () => {
    const running = await proxy(undefined)
    const response = await rawRequest(running.port, GET)
    expect(response.status).toBe(503)
    expect(response.headers['retry-after']).toBe('1')
  })

  test('503 where groups are asked for and no policy could know them', async () => {
    const { port, reached } = await setUp((route) =>
      aHost('example.com', [route('web', { accessControl: { allowGroups: ['staff'] } })]),
    )
    expect((await rawRequest(port, GET)).status).toBe(503)
    expect(reached()).toBe(0)
  })
})

describe('a guarded route', () => {
  test('answers no TRACE, which would show what is added for the upstream alone', async () => {
    const { port, reached } = await setUp(
      (route) => aHost('example.com', [route('web', GUARDED)]),
      deciding(() => ALLOW),
    )
    const response = await rawRequest(port, GET.replace('GET', 'TRACE'))
    expect([response.status, response.headers['allow']]).toEqual([405, expect.stringContaining('GET')])
    expect(reached()).toBe(0)
  })

  const host = (route: typeof aRoute): VirtualHost => aHost('example.com', [route('web', GUARDED)])

  test.each([
    ['at once', (decision: AuthDecision) => decision],
    ['later', (decision: AuthDecision) => Promise.resolve(decision)],
  ])('is answered for a decision that comes %s', async (_, wrap) => {
    const refused = await setUp(
      host,
      deciding(() => wrap(REFUSE)),
    )
    const response = await rawRequest(refused.port, GET)
    expect(response.status).toBe(401)
    expect(response.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'www-authenticate': 'Bearer realm="a"\nBasic realm="b"',
      'set-cookie': 'cleared=1',
      'cache-control': 'no-store',
    })
    expect(JSON.parse(response.body)).toMatchObject({ message: 'Unauthorized', reason: 'no_credential' })
    expect(refused.reached()).toBe(0)
    const allowed = await setUp(
      host,
      deciding(() => wrap(ALLOW)),
    )
    expect((await rawRequest(allowed.port, GET)).status).toBe(200)
  })

  test('shows people a page', async () => {
    const { port } = await setUp(
      host,
      deciding(() => REFUSE),
    )
    const response = await rawRequest(
      port,
      'GET / HTTP/1.1\r\nHost: example.com\r\nAccept: text/html\r\n\r\n',
    )
    expect(response.status).toBe(401)
    expect(response.headers['content-type']).toContain('text/html')
  })

  test('sends the browser elsewhere', async () => {
    const { port, reached } = await setUp(
      host,
      deciding(() => ({
        kind: 'redirect',
        status: 302,
        location: 'https://as.example/authorize',
        reason: 'login',
        responseHeaders: [['Set-Cookie', 'flow=1']],
      })),
    )
    const response = await rawRequest(port, GET)
    expect(response.status).toBe(302)
    expect(response.headers).toMatchObject({
      location: 'https://as.example/authorize',
      'set-cookie': 'flow=1',
    })
    expect(reached()).toBe(0)
  })

  test('says when to come back', async () => {
    const { port, reached } = await setUp(
      host,
      deciding(() => ({
        kind: 'unavailable',
        reason: 'authorization_server_unavailable',
        message: 'Sign-in is not available.',
        retryAfterSeconds: 7,
        responseHeaders: [],
      })),
    )
    const response = await rawRequest(port, GET)
    expect([response.status, response.headers['retry-after']]).toEqual([503, '7'])
    expect(reached()).toBe(0)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('bug with s3cret')
      },
    ],
    ['rejects', () => Promise.reject(new Error('bug with s3cret'))],
  ])('is 500, never open, where authorization %s', async (_, fails) => {
    const { port, reached } = await setUp(host, deciding(fails))
    const response = await rawRequest(port, GET)
    expect(response.status).toBe(500)
    expect(response.body).not.toContain('s3cret')
    expect(reached()).toBe(0)
  })

  test('changes headers, cookies and query as it is told', async () => {
    const { port } = await setUp(
      host,
      deciding(() => ({
        ...ALLOW,
        removeHeaders: ['authorization'],
        setHeaders: [['x-user', 'alice']],
        removeCookies: (name) => name === 'session',
        removeQuery: ['access_token'],
        responseHeaders: [['Set-Cookie', 'rolled=1']],
      })),
    )
    const response = await rawRequest(
      port,
      'GET /a%20b?x=1&access_token=t&y=%2F HTTP/1.1\r\nHost: example.com\r\n' +
        'Authorization: Bearer t\r\nX-User: mallory\r\nCookie: a=1; session=s; b=2\r\n\r\n',
    )
    expect(response.headers['set-cookie']).toBe('rolled=1')
    const seen = JSON.parse(response.body)
    expect(seen.url).toBe('/a%20b?x=1&y=%2F')
    expect(seen.headers).toMatchObject({ 'x-user': 'alice', cookie: 'a=1; b=2' })
    expect(seen.headers).not.toHaveProperty('authorization')
  })

  test('sends the form that authorization has read, without what is hidden', async () => {
    const { port } = await setUp(host, {
      ...noAuthorizer,
      authorize: async (_snapshot, _host, _route, facts) => {
        expect((await facts.form())?.get('access_token')).toBe('t')
        return { ...ALLOW, removeForm: ['access_token'] }
      },
      callback: () => undefined,
    })
    const form = 'a=%31&access_token=t&b=2'
    const response = await rawRequest(
      port,
      'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
        `Content-Length: ${form.length}\r\n\r\n${form}`,
    )
    const seen = JSON.parse(response.body)
    expect(seen.body).toBe('a=%31&b=2')
    expect(seen.headers['content-length']).toBe('9')
  })

  test('does not forward what its client no longer waits for', async () => {
    let decide: (decision: AuthDecision) => void = () => {}
    let asked: () => void = () => {}
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const { port, reached, server } = await setUp(
      host,
      deciding(() => {
        asked()
        return new Promise((resolve) => {
          decide = resolve
        })
      }),
    )
    const client = await RawClient.open(port)
    client.write(GET)
    await wasAsked
    client.close()
    await vi.waitFor(() => {
      const requests = server.metrics().find(({ name }) => name === 'ostiary_http_requests_total')
      expect(requests?.values[0]?.labels['code']).toBe(499)
    })
    decide(ALLOW)
    await new Promise((resolve) => setImmediate(resolve))
    expect(reached()).toBe(0)
  })
})

describe('a reserved path', () => {
  const PATHS = ['start', 'callback', 'sign_out', 'userinfo', 'auth', 'backchannel_logout']
  const login = (route: typeof aRoute): VirtualHost =>
    aHost('example.com', [route('web')], { loginPolicies: ['default/plugin'] })

  test.each(PATHS)('/oauth2/%s never reaches an upstream on a host with a login policy', async (name) => {
    const { port, reached } = await setUp(login, { ...noAuthorizer, reserved: () => ALLOW })
    const response = await rawRequest(port, GET.replace('/ ', `/oauth2/${name}?code=c&state=s `))
    expect(response.status).toBe(404)
    expect(reached()).toBe(0)
  })

  test.each(PATHS)('/oauth2/%s is 503 while a login policy is missing', async (name) => {
    const { port, reached } = await setUp((route) =>
      aHost('example.com', [route('web')], { reservedClosed: true }),
    )
    expect((await rawRequest(port, GET.replace('/ ', `/oauth2/${name} `))).status).toBe(503)
    expect(reached()).toBe(0)
  })

  test('is a path like any other on a host without', async () => {
    const { port } = await setUp((route) => aHost('example.com', [route('web')]))
    expect((await rawRequest(port, GET.replace('/ ', '/oauth2/callback '))).status).toBe(200)
  })

  test('/oauth2/callback asks the authorizer, in any spelling of the same path', async () => {
    const { port, reached } = await setUp(login, {
      ...noAuthorizer,
      authorize: () => REFUSE,
      callback: (_snapshot, _host, facts) => ({
        kind: 'redirect',
        status: 303,
        location: `/back?${facts.query}`,
        reason: 'callback',
        responseHeaders: [],
      }),
    })
    for (const path of ['/oauth2/callback', '/oauth2/%63allback']) {
      const response = await rawRequest(port, GET.replace('/ ', `${path}?code=c `))
      expect([response.status, response.headers['location']]).toEqual([303, '/back?code=c'])
    }
    expect(reached()).toBe(0)
  })
})

test('a redirectUri that is a routed path is a callback only where the authorizer says so', async () => {
  const { port: upstreamPort } = await upstream((_, response) => response.end('app'))
  const policy = { authorizationCode: { redirectUri: 'https://example.com/app/cb' } }
  const table = aTable([aHost('example.com', [aRoute('web')], { loginPolicies: ['default/plugin'] })], {
    web: [upstreamPort],
  })
  const asked: string[] = []
  const running = await proxy(
    aSnapshot({ ...table, policies: { 'default/plugin': policy as never } }),
    {},
    {
      ...noAuthorizer,
      callback: (_snapshot, _host, facts) => {
        asked.push(facts.path)
        return facts.query === '' ? undefined : REFUSE
      },
    },
  )
  expect((await rawRequest(running.port, GET.replace('/ ', '/app/cb '))).body).toBe('app')
  expect((await rawRequest(running.port, GET.replace('/ ', '/app/cb?code=c '))).status).toBe(401)
  expect((await rawRequest(running.port, GET.replace('/ ', '/app '))).body).toBe('app')
  expect(asked).toEqual(['/app/cb', '/app/cb'])
})

test('decisions are counted with words that no request chose', async () => {
  const { port, server } = await setUp(
    (route) => aHost('example.com', [route('web', GUARDED)]),
    deciding(() => REFUSE),
  )
  await rawRequest(port, GET)
  const decisions = server.metrics().find(({ name }) => name === 'ostiary_auth_decisions_total')
  expect(decisions?.values).toEqual([
    { value: 1, labels: { plugin: 'default/plugin', flow: '', result: 'refuse', reason: 'no_credential' } },
  ])
})

test.each([
  ['a response', true],
  ['a refusal', false],
])('what cannot be written beside %s is a 500, and nobody else notices', async (_, isUp) => {
  const unwritable = { ...ALLOW, responseHeaders: [['X-Name', 'a\r\nb']] as const }
  const { port: upstreamPort } = await upstream((_request, response) => response.end('whole'))
  const hosts = [aHost('example.com', [aRoute('web', GUARDED)]), aHost('open.example', [aRoute('open')])]
  const table = aTable(hosts, { web: isUp ? [upstreamPort] : [], open: [upstreamPort] })
  const { port } = await proxy(
    aSnapshot(table),
    {},
    deciding(() => unwritable),
  )
  const { status, headers } = await rawRequest(port, GET)
  expect([status, headers['x-name']]).toEqual([500, undefined])
  expect((await rawRequest(port, GET.replace('example.com', 'open.example'))).body).toBe('whole')
})
