import { describe, expect, test } from 'vitest'
import { HOST, requestText, startTrafficApp } from '../../support/traffic-app.ts'
import { RawClient } from '../../support/raw-http.ts'

const BEARER = { authMethods: ['bearer'] }

describe('source ranges', () => {
  const behindProxy = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] }

  test.each([
    [{ 'allow-source-range': '192.0.2.0/24' }, '192.0.2.7', 200],
    [{ 'allow-source-range': '192.0.2.0/24' }, '::ffff:192.0.2.7', 200],
    [{ 'allow-source-range': '192.0.2.0/24' }, '198.51.100.1', 403],
    [{ 'allow-source-range': '192.0.2.0/24' }, '198.51.100.1, 192.0.2.7', 200],
    [{ 'allow-source-range': '192.0.2.0/24' }, '192.0.2.7, 198.51.100.1', 403],
    [{ 'allow-source-range': '2001:db8::/32' }, '2001:DB8:1::1', 200],
    [{ 'allow-source-range': '2001:db8::/32' }, '2001:db9::1', 403],
    [{ 'deny-source-range': '192.0.2.0/24' }, '192.0.2.7', 403],
    [{ 'deny-source-range': '::ffff:192.0.2.0/120' }, '192.0.2.7', 403],
    [{ 'deny-source-range': '192.0.2.0/24' }, '::ffff:c000:207', 403],
    [{ 'deny-source-range': '192.0.2.0/24' }, '198.51.100.1', 200],
    [{ 'allow-source-range': '192.0.2.0/24', 'deny-source-range': '192.0.2.7' }, '192.0.2.7', 403],
  ])('%o and a client at %s: %i', async (annotations, forwardedFor, status) => {
    const app = await startTrafficApp({ annotations, proxy: behindProxy })
    expect((await app.send('GET /', { 'X-Forwarded-For': forwardedFor })).status).toBe(status)
    expect(app.seen).toHaveLength(status === 200 ? 1 : 0)
  })

  test('believe no header of a client that is no trusted proxy', async () => {
    const app = await startTrafficApp({ annotations: { 'allow-source-range': '192.0.2.0/24' } })
    const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Real-IP': '192.0.2.7', Forwarded: 'for=192.0.2.7' }
    const refused = await app.send('GET /', headers)
    expect(refused.status).toBe(403)
    expect(JSON.parse(refused.body)).toMatchObject({ reason: 'source_address' })
    expect(app.seen).toEqual([])
  })

  test('come before preflights and credentials, and do not replace them', async () => {
    const annotations = { 'allow-source-range': '127.0.0.1', 'cors-allow-origin': 'https://app.example.com' }
    const inside = await startTrafficApp({ annotations, plugin: BEARER })
    expect((await inside.send('GET /')).status).toBe(401)
    const outside = await startTrafficApp({
      annotations: { ...annotations, 'allow-source-range': '192.0.2.7' },
      plugin: BEARER,
    })
    const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'GET' }
    expect((await outside.send('OPTIONS /', preflight)).status).toBe(403)
    const authorization = `Bearer ${await outside.token()}`
    expect((await outside.send('GET /', { authorization })).status).toBe(403)
    expect(outside.seen).toEqual([])
  })
})

describe('permanent-redirect', () => {
  test.each([
    [{ 'permanent-redirect': 'https://new.example$request_uri' }, 308, 'https://new.example/a%2Cb?c=d'],
    [
      { 'permanent-redirect': 'https://new.example/x', 'permanent-redirect-code': '301' },
      301,
      'https://new.example/x',
    ],
  ])('%o', async (annotations, status, location) => {
    const app = await startTrafficApp({ annotations, plugin: BEARER })
    const answer = await app.send('POST /a%2Cb?c=d', {}, 'body')
    expect([answer.status, answer.headers['location']]).toEqual([status, location])
    expect(app.seen).toEqual([])
  })

  test.each(['//evil.example/', '/\\evil.example', '@evil.example', 'http://evil.example/', '.evil.example'])(
    'leads nowhere else for the target %s',
    async (target) => {
      const app = await startTrafficApp({
        annotations: { 'permanent-redirect': 'https://new.example$request_uri' },
      })
      const answer = await app.send(`GET ${target}`)
      expect([answer.status, answer.headers['location']]).toEqual([400, undefined])
    },
  )

  test('opens nothing that is closed', async () => {
    const app = await startTrafficApp({
      annotations: { 'permanent-redirect': 'https://new.example', 'allow-groups': 'staff' },
    })
    expect((await app.send('GET /')).status).toBe(503)
  })
})

describe('max-body-size', () => {
  const annotations = { 'max-body-size': '1Ki' }
  const head = requestText('POST /', { 'Transfer-Encoding': 'chunked' })
  const chunk = (size: number): string => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`

  test('is a limit to the byte', async () => {
    const app = await startTrafficApp({ annotations })
    expect((await app.send('POST /', {}, 'x'.repeat(1024))).status).toBe(200)
    const refused = await app.send('POST /', {}, 'x'.repeat(1025))
    expect(refused.status).toBe(413)
    expect(JSON.parse(refused.body)).toMatchObject({ reason: 'body_too_large' })
    expect(app.seen).toHaveLength(1)
  })

  test('asks nobody for a body that is too large', async () => {
    const app = await startTrafficApp({ annotations })
    const client = await RawClient.open(app.ostiary.port)
    client.write(requestText('POST /', { 'Content-Length': '2000', Expect: '100-continue' }))
    expect((await client.response()).status).toBe(413)
    client.close()
    expect(app.seen).toEqual([])
  })

  test('lets the connection be used again', async () => {
    const app = await startTrafficApp({ annotations })
    const client = await RawClient.open(app.ostiary.port)
    client.write(requestText('POST /', {}, 'x'.repeat(5000)) + requestText('GET /'))
    expect((await client.response()).status).toBe(413)
    expect((await client.response()).status).toBe(200)
    client.close()
  })

  test('counts a body of unknown length, and the upstream sees it broken off', async () => {
    let end = (_how: string): void => {}
    const ended = new Promise<string>((resolve) => {
      end = resolve
    })
    const app = await startTrafficApp({
      annotations,
      answer: (request) => {
        request.on('end', () => end('complete'))
        request.on('error', () => end('broken off'))
        request.resume()
      },
    })
    const client = await RawClient.open(app.ostiary.port)
    client.write(`${head}${chunk(1000)}`)
    client.write(`${chunk(25)}0\r\n\r\n`)
    expect((await client.response()).status).toBe(413)
    expect(await ended).toBe('broken off')
    client.close()
  })

  test('takes a body of unknown length that is within it', async () => {
    let length = 0
    const app = await startTrafficApp({
      annotations,
      answer: (request, response) => {
        request.on('data', (data: Buffer) => (length += data.length))
        request.on('end', () => response.end())
      },
    })
    const client = await RawClient.open(app.ostiary.port)
    client.write(`${head}${chunk(1000)}${chunk(24)}0\r\n\r\n`)
    expect((await client.response()).status).toBe(200)
    expect(length).toBe(1024)
    client.close()
  })

  test('ends the connection where the upstream has begun to answer', async () => {
    const app = await startTrafficApp({
      annotations,
      answer: (_request, response) => {
        response.write('begun')
      },
    })
    const client = await RawClient.open(app.ostiary.port)
    client.write(`${head}${chunk(10)}`)
    await client.until((text) => text.includes('begun'))
    client.write(chunk(2000))
    expect(await client.closed()).not.toContain('\r\n0\r\n')
  })

  test('holds for a form that authorization has read', async () => {
    const plugin = { authMethods: ['bearer'], bearerTokenParamType: ['header', 'body'] }
    const app = await startTrafficApp({ annotations: { 'max-body-size': '64' }, plugin })
    const form = `access_token=${await app.token()}`
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Transfer-Encoding': 'chunked' }
    const client = await RawClient.open(app.ostiary.port)
    client.write(`${requestText('POST /', headers)}${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`)
    expect((await client.response()).status).toBe(413)
    client.close()
    expect(app.seen).toEqual([])
  })

  test('refuses before it asks who it is', async () => {
    const app = await startTrafficApp({ annotations, plugin: BEARER })
    expect((await app.send('POST /', { Host: HOST }, 'x'.repeat(2000))).status).toBe(413)
    expect((await app.send('POST /', {}, 'x')).status).toBe(401)
  })
})
