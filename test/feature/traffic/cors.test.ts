import { describe, expect, test } from 'vitest'
import { startTrafficApp } from '../../support/traffic-app.ts'

const BEARER = { authMethods: ['bearer'] }
const APP = 'https://app.example.com'
const PREFLIGHT = { origin: APP, 'access-control-request-method': 'PUT' }
const CORS = {
  'cors-allow-origin': `${APP}, https://*.example.org`,
  'cors-allow-credentials': 'true',
  'cors-allow-headers': 'Authorization, X-Trace',
  'cors-expose-headers': 'X-Total',
}

describe('a preflight', () => {
  test('of an allowed origin is answered before authorization, and reaches no upstream', async () => {
    const app = await startTrafficApp({ annotations: CORS, plugin: BEARER })
    const answer = await app.send('OPTIONS /x', PREFLIGHT)
    expect([answer.status, answer.body]).toEqual([204, ''])
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'Authorization, X-Trace',
      'access-control-max-age': '600',
      vary: 'Origin',
    })
    expect(answer.headers['content-length']).toBeUndefined()
    expect(app.seen).toEqual([])
  })

  test.each([
    'https://evil.example',
    'https://app.example.com.evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://example.org',
    'https://a.b.example.org',
    'https://evil.example/.example.org',
    'https://evil.example?.example.org',
    'null',
    '*',
    '',
  ])('of %j is refused, and told nothing', async (origin) => {
    const app = await startTrafficApp({ annotations: CORS })
    const answer = await app.send('OPTIONS /x', { ...PREFLIGHT, origin })
    expect(answer.status).toBe(403)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
    expect(answer.headers['vary']).toBe('Origin')
    expect(app.seen).toEqual([])
  })

  test.each<[string, string, Record<string, string>]>([
    ['without a method asked for', 'OPTIONS', { origin: APP }],
    ['without an origin', 'OPTIONS', { 'access-control-request-method': 'PUT' }],
    ['by another method', 'GET', PREFLIGHT],
    ['by an override', 'POST', { ...PREFLIGHT, 'x-http-method-override': 'OPTIONS' }],
  ])('is none %s: that is authenticated', async (_, method, headers) => {
    const app = await startTrafficApp({ annotations: CORS, plugin: BEARER })
    expect((await app.send(`${method} /x`, headers)).status).toBe(401)
    expect(app.seen).toEqual([])
  })

  test('is refused where the route is closed', async () => {
    const app = await startTrafficApp({ annotations: { ...CORS, 'allow-groups': 'staff' } })
    const answer = await app.send('OPTIONS /x', PREFLIGHT)
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([503, APP])
    expect(app.seen).toEqual([])
  })
})

describe('a response', () => {
  test("carries our headers in place of the upstream's", async () => {
    const app = await startTrafficApp({
      annotations: CORS,
      answer: (_request, response) => {
        response.writeHead(200, {
          'Access-Control-Allow-Origin': '*',
          'Access-Control-Allow-Methods': 'TRACE',
          'Access-Control-Allow-Private-Network': 'true',
          Vary: 'Accept-Encoding',
        })
        response.end()
      },
    })
    const { headers } = await app.send('GET /x', { origin: 'https://a.example.org' })
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example.org',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'X-Total',
      vary: 'Accept-Encoding\nOrigin',
    })
    expect(headers['access-control-allow-methods']).toBeUndefined()
    expect(headers['access-control-allow-private-network']).toBeUndefined()
    const other = await app.send('GET /x', { origin: 'https://evil.example' })
    expect(other.headers['access-control-allow-origin']).toBeUndefined()
    expect((await app.send('GET /x')).headers['vary']).toBe('Accept-Encoding\nOrigin')
  })

  test('of two Origin fields is for none', async () => {
    const app = await startTrafficApp({ annotations: CORS })
    const { headers } = await app.send('GET /x', { origin: APP, Origin: 'https://evil.example' })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  test.each<[string, Record<string, string>, number]>([
    ['without a credential', {}, 401],
    ['with a bad one', { authorization: 'Bearer x.y.z' }, 401],
  ])('%s says who may read it', async (_, headers, status) => {
    const app = await startTrafficApp({ annotations: CORS, plugin: BEARER })
    const answer = await app.send('GET /x', { origin: APP, ...headers })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, APP])
    expect(answer.headers['vary']).toBe('Origin')
  })

  test('of 403 and of an upstream that fails says who may read it too', async () => {
    const plugin = { ...BEARER, scopesRequired: ['nobody.has.this'] }
    const guarded = await startTrafficApp({ annotations: CORS, plugin })
    const authorization = `Bearer ${await guarded.token()}`
    const refused = await guarded.send('GET /x', { origin: APP, authorization })
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, APP])
    const app = await startTrafficApp({ annotations: CORS, answer: (request) => request.socket.destroy() })
    const failed = await app.send('POST /x', { origin: APP }, 'a')
    expect([failed.status, failed.headers['access-control-allow-origin']]).toEqual([502, APP])
  })

  test('without credentials is for everybody where that is said', async () => {
    const app = await startTrafficApp({ annotations: { 'cors-allow-origin': '*' } })
    const { headers } = await app.send('GET /x', { origin: 'https://anybody.example' })
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })
})
