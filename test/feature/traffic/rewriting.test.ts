import { describe, expect, test } from 'vitest'
import { startTrafficApp } from '../../support/traffic-app.ts'

const BEARER = { authMethods: ['bearer'] }

describe('strip-path', () => {
  test.each([
    ['/api/v1', '/'],
    ['/api/v1/', '/'],
    ['/api/v1/users/7?a=%2Fb&c', '/users/7?a=%2Fb&c'],
    ['/api/v1?x', '/?x'],
    ['/%61pi/v1/us%65rs', '/us%65rs'],
    ['/api/v1/a;b=c/%C3%A4', '/a;b=c/%C3%A4'],
  ])('%s is %s at the upstream', async (sent, expected) => {
    const app = await startTrafficApp({ path: '/api/v1', annotations: { 'strip-path': 'true' } })
    expect((await app.send(`GET ${sent}`)).status).toBe(200)
    expect(app.seen.map(({ url }) => url)).toEqual([expected])
  })

  test('tells the upstream what was there, and no client can', async () => {
    const app = await startTrafficApp({ path: '/api', annotations: { 'strip-path': 'true' } })
    await app.send('GET /api/x?y=1', { 'X-Forwarded-Prefix': '/evil', 'X-Original-URI': '/evil' })
    expect(app.seen[0]?.headers).toMatchObject({
      'x-forwarded-prefix': '/api',
      'x-original-uri': '/api/x?y=1',
    })
  })

  test('keeps the prefix of a trusted proxy before its own', async () => {
    const app = await startTrafficApp({
      path: '/api',
      annotations: { 'strip-path': 'true' },
      proxy: { trustedProxies: ['127.0.0.1'] },
    })
    await app.send('GET /api/x', { 'X-Forwarded-Prefix': '/outer' })
    expect(app.seen[0]?.headers['x-forwarded-prefix']).toBe('/outer, /api')
  })

  test('makes no target that is read as another host', async () => {
    const annotations = { 'strip-path': 'true', 'allow-double-slash': 'true' }
    const app = await startTrafficApp({ path: '/api', annotations })
    expect((await app.send('GET /api//evil.example/x')).status).toBe(400)
    expect((await app.send('GET /api/x//y')).status).toBe(200)
    expect(app.seen.map(({ url }) => url)).toEqual(['/x//y'])
  })

  test('leaves the guard what it was', async () => {
    const app = await startTrafficApp({
      path: '/api',
      annotations: { 'strip-path': 'true' },
      plugin: BEARER,
    })
    expect((await app.send('GET /api/x')).status).toBe(401)
    expect(app.seen).toEqual([])
    const authorization = `Bearer ${await app.token()}`
    expect((await app.send('GET /api/x', { authorization })).status).toBe(200)
    expect(app.seen.map(({ url }) => url)).toEqual(['/x'])
  })

  test('hides a credential in the query from the original target too', async () => {
    const app = await startTrafficApp({
      path: '/api',
      annotations: { 'strip-path': 'true' },
      plugin: { ...BEARER, bearerTokenParamType: ['query'], hideCredentials: true },
    })
    expect((await app.send(`GET /api/x?access_token=${await app.token()}&y=1`)).status).toBe(200)
    expect(app.seen[0]?.url).toBe('/x?y=1')
    expect(app.seen[0]?.headers['x-original-uri']).toBe('/api/x?y=1')
  })
})

describe('rewrite-target', () => {
  test.each([
    [{ 'rewrite-target': '/v2/$1' }, '/old/a/b?c', '/v2/a/b?c'],
    [{ 'rewrite-target': '/v2/$1' }, '/old', '/v2/'],
    [{ 'rewrite-target': '/fixed' }, '/old/a/b?c', '/fixed?c'],
    [
      { 'rewrite-target': '/of/$2/$1', 'rewrite-pattern': '/old/([^/]+)/items/(\\d+)' },
      '/old/ann/items/42?x=1',
      '/of/42/ann?x=1',
    ],
    [{ 'rewrite-target': '/$2', 'rewrite-pattern': '/old(/|$)(.*)' }, '/old', '/'],
    [{ 'rewrite-target': '/$2', 'rewrite-pattern': '/old(/|$)(.*)' }, '/old/a%20b', '/a%20b'],
  ])('%o makes of %s %s', async (annotations, sent, expected) => {
    const app = await startTrafficApp({ path: '/old', annotations })
    expect((await app.send(`GET ${sent}`)).status).toBe(200)
    expect(app.seen.map(({ url }) => url)).toEqual([expected])
  })

  test('a path that the pattern does not match as a whole reaches no upstream', async () => {
    const annotations = { 'rewrite-target': '/public/$1', 'rewrite-pattern': '/files/([a-z]+)' }
    const app = await startTrafficApp({ path: '/files', annotations })
    for (const sent of ['/files/A', '/files/a/b', '/files', '/files/%61']) {
      expect([sent, (await app.send(`GET ${sent}`)).status]).toEqual([sent, 404])
    }
    expect(app.seen).toEqual([])
  })

  test('pieces that are joined to a dot segment reach no upstream', async () => {
    const annotations = { 'rewrite-target': '/a/$1$2/b', 'rewrite-pattern': '/x/([^-]*)-([^-]*)' }
    const app = await startTrafficApp({ path: '/x', annotations })
    expect((await app.send('GET /x/.-.')).status).toBe(400)
    expect((await app.send('GET /x/%2-e%2e')).status).toBe(400)
    expect((await app.send('GET /x/-')).status).toBe(400)
    expect(app.seen).toEqual([])
    expect((await app.send('GET /x/c-d')).status).toBe(200)
    expect(app.seen.map(({ url }) => url)).toEqual(['/a/cd/b'])
  })

  test('a path that is too long to be matched with a pattern is refused', async () => {
    const annotations = { 'rewrite-target': '/$1', 'rewrite-pattern': '/x/(.*)' }
    const app = await startTrafficApp({ path: '/x', annotations })
    expect((await app.send(`GET /x/${'a'.repeat(2048)}`)).status).toBe(414)
    expect((await app.send(`GET /x/${'a'.repeat(2000)}`)).status).toBe(200)
  })

  test('happens after authorization: an unknown caller learns nothing of the pattern', async () => {
    const annotations = { 'rewrite-target': '/$1', 'rewrite-pattern': '/x/(a+)' }
    const app = await startTrafficApp({ path: '/x', annotations, plugin: BEARER })
    expect((await app.send('GET /x/a')).status).toBe(401)
    expect((await app.send('GET /x/b')).status).toBe(401)
    expect((await app.send('GET /x/b', { authorization: `Bearer ${await app.token()}` })).status).toBe(404)
  })
})

describe('the host', () => {
  test('is the one that the route says, and the client cannot add another', async () => {
    const app = await startTrafficApp({ annotations: { 'upstream-host': 'api.internal:8443' } })
    await app.send('GET /')
    expect(app.seen[0]?.headers).toMatchObject({ host: 'api.internal:8443', 'x-forwarded-host': 'app.test' })
    expect((await app.send('GET /', { host: 'evil.example' })).status).toBe(400)
    expect(app.seen).toHaveLength(1)
  })

  test("is the Service's where the client's is not kept", async () => {
    const app = await startTrafficApp({ annotations: { 'preserve-host': 'false' } })
    await app.send('GET /')
    expect(app.seen[0]?.headers.host).toBe('echo.default.svc')
  })

  test("is the client's otherwise", async () => {
    const app = await startTrafficApp()
    await app.send('GET /', { 'X-Original-URI': '/evil' })
    expect(app.seen[0]?.headers.host).toBe('app.test')
    expect(app.seen[0]?.headers['x-original-uri']).toBeUndefined()
  })
})
