import { describe, expect, test } from 'vitest'
import { startTrafficApp } from '../../support/traffic-app.ts'

const BEARER = { authMethods: ['bearer'] }

describe('request headers', () => {
  test('are removed, set and added, whatever a client sends', async () => {
    const app = await startTrafficApp({
      annotations: {
        'request-headers-set': 'X-Env: prod\nX-Tier: a: b',
        'request-headers-add': 'X-Via: ostiary',
        'request-headers-remove': 'X-Debug, Cookie',
      },
    })
    await app.send('GET /', {
      'x-env': 'mine',
      X_Env: 'mine too',
      'X-Debug': '1',
      x_debug: '1',
      'X-Via': 'client',
      Cookie: 'a=b',
      Connection: 'X-Env, X-Tier',
    })
    const headers = app.seen[0]?.headers ?? {}
    expect(headers).toMatchObject({ 'x-env': 'prod', 'x-tier': 'a: b', 'x-via': 'client, ostiary' })
    expect(Object.keys(headers)).not.toContain('x-debug')
    expect(Object.keys(headers).filter((name) => name.includes('_') || name === 'cookie')).toEqual([])
  })

  test('are not told to clients, not even by TRACE', async () => {
    const app = await startTrafficApp({
      annotations: { 'request-headers-set': 'X-Api-Key: key of the upstream' },
    })
    expect((await app.send('TRACE /')).status).toBe(405)
    expect(app.seen).toEqual([])
  })

  test('that a plugin sets are not for the Ingress', async () => {
    const app = await startTrafficApp({
      annotations: { 'request-headers-add': 'X-Sub: root' },
      plugin: { ...BEARER, upstreamHeadersNames: ['X-Sub'], upstreamHeadersClaims: ['sub'] },
    })
    const authorization = `Bearer ${await app.token()}`
    expect((await app.send('GET /', { authorization })).status).toBe(503)
    expect(app.seen).toEqual([])
  })

  test('can be taken away without taking what authorization sends', async () => {
    const app = await startTrafficApp({
      annotations: { 'request-headers-remove': 'Authorization, X-Sub' },
      plugin: {
        ...BEARER,
        upstreamHeadersNames: ['X-Sub'],
        upstreamHeadersClaims: ['sub'],
        upstreamAccessTokenHeader: 'x-token',
      },
    })
    const token = await app.token()
    expect((await app.send('GET /', { authorization: `Bearer ${token}`, 'X-Sub': 'root' })).status).toBe(200)
    const headers = app.seen[0]?.headers ?? {}
    expect(headers['authorization']).toBeUndefined()
    expect(headers['x-token']).toBe(token)
    expect(headers['x-sub']).toBeTruthy()
    expect(headers['x-sub']).not.toContain('root')
  })
})

describe('response headers', () => {
  const annotations = {
    'response-headers-set': 'X-Frame-Options: DENY\nServer: hidden\nCache-Control: public, max-age=60',
    'response-headers-add': 'Link: </a.css>; rel=preload',
    'response-headers-remove': 'X-Powered-By',
  }

  test('are removed before the response too, where nothing is added', async () => {
    const app = await startTrafficApp({
      annotations,
      answer: (_request, response) =>
        response.writeEarlyHints({ link: '</b.css>', 'x-powered-by': 'x' }, () => response.end()),
    })
    const { status, headers } = await app.send('GET /')
    expect([status, Object.keys(headers).sort()]).toEqual([103, ['link', 'server']])
    expect(headers['link']).toBe('</b.css>')
  })

  test('are removed, set and added', async () => {
    const app = await startTrafficApp({
      annotations,
      answer: (_request, response) => {
        response.writeHead(200, {
          'X-Powered-By': 'x',
          'x-frame-options': 'ALLOWALL',
          Link: '</b.css>',
          Server: 'nginx',
        })
        response.end()
      },
    })
    const { headers } = await app.send('GET /')
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      link: '</b.css>\n</a.css>; rel=preload',
      server: 'hidden',
      'cache-control': 'public, max-age=60',
    })
    expect(headers['x-powered-by']).toBeUndefined()
  })

  test('make no refusal of ours cacheable', async () => {
    const app = await startTrafficApp({ annotations, plugin: BEARER })
    const refused = await app.send('GET /')
    expect([refused.status, refused.headers['cache-control']]).toEqual([401, 'no-store'])
  })
})
