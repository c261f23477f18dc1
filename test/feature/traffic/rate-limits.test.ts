import { describe, expect, test } from 'vitest'
import { consumer, ingress, service } from '../../support/manifests.ts'
import { HOST, ours, requestText, startTrafficApp, type TrafficApp } from '../../support/traffic-app.ts'
import { RawClient, type RawResponse } from '../../support/raw-http.ts'
import { startThreadedOstiary } from '../../support/threaded-ostiary.ts'
import { upstream } from '../../proxy/support.ts'

const BEARER = { authMethods: ['bearer'] }
const BEHIND_PROXY = { trustedProxies: ['127.0.0.1'] }

async function statuses(
  app: TrafficApp,
  times: number,
  headers: Record<string, string> = {},
): Promise<number[]> {
  const answers: number[] = []
  for (let i = 0; i < times; i += 1) answers.push((await app.send('GET /', headers)).status)
  return answers
}

const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address })

describe('a limit per address', () => {
  test('tells what is left, and when it is over', async () => {
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '2/1h, 100/24h', 'cors-allow-origin': 'https://app.example.com' },
    })
    const origin = { origin: 'https://app.example.com' }
    const first = await app.send('GET /', origin)
    expect(first.status).toBe(200)
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"address-3600s";q=2;w=3600, "address-86400s";q=100;w=86400',
      ratelimit: '"address-3600s";r=1;t=3600, "address-86400s";r=99;t=86400',
    })
    expect((await app.send('GET /', origin)).status).toBe(200)
    const refused = await app.send('GET /', origin)
    expect(refused.status).toBe(429)
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'access-control-allow-origin': 'https://app.example.com',
      ratelimit: expect.stringMatching(/^"address-3600s";r=0;t=3[56]\d\d$/),
      'retry-after': expect.stringMatching(/^3[56]\d\d$/),
    })
    expect(app.seen).toHaveLength(2)
  })

  test('counts each client, and an IPv6 network as one', async () => {
    const app = await startTrafficApp({ annotations: { 'rate-limit': '1/1h' }, proxy: BEHIND_PROXY })
    const addresses = [
      ['192.0.2.1', 200],
      ['192.0.2.2', 200],
      ['192.0.2.1', 429],
      ['::ffff:192.0.2.1', 429],
      ['2001:db8::1', 200],
      ['2001:db8:0:0:ffff::2', 429],
      ['2001:0DB8::ffff:0:0:3', 429],
      ['2001:db8:0:1::1', 200],
    ] as const
    for (const [address, status] of addresses) {
      expect([address, (await app.send('GET /', from(address))).status]).toEqual([address, status])
    }
  })

  test('cannot be escaped with headers of a client that is no proxy', async () => {
    const app = await startTrafficApp({ annotations: { 'rate-limit': '1/1h' } })
    expect((await app.send('GET /', from('192.0.2.1'))).status).toBe(200)
    expect((await app.send('GET /', from('192.0.2.2'))).status).toBe(429)
    expect((await app.send('GET /', { Forwarded: 'for=192.0.2.3', 'X-Real-IP': '192.0.2.3' })).status).toBe(
      429,
    )
  })

  test('throttles guesses of credentials, preflights apart', async () => {
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '2/1h', 'cors-allow-origin': 'https://app.example.com' },
      plugin: BEARER,
    })
    const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'GET' }
    for (let i = 0; i < 3; i += 1) expect((await app.send('OPTIONS /', preflight)).status).toBe(204)
    expect(await statuses(app, 3, { authorization: 'Bearer x.y.z' })).toEqual([401, 401, 429])
    expect((await app.send('GET /', { authorization: `Bearer ${await app.token()}` })).status).toBe(429)
    expect(app.seen).toEqual([])
  })

  test('is one for all paths of an Ingress', async () => {
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '1/1h' },
      objects: [ingress({ name: 'other', host: 'other.test', annotations: ours({ 'rate-limit': '1/1h' }) })],
    })
    expect((await app.send('GET /a')).status).toBe(200)
    expect((await app.send('GET /b')).status).toBe(429)
    expect((await app.send('GET /', { Host: 'other.test' })).status).toBe(200)
  })
})

describe('a limit per route', () => {
  test('counts everybody', async () => {
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '2/1h per route' },
      proxy: BEHIND_PROXY,
    })
    const answers = []
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      answers.push((await app.send('GET /', from(address))).status)
    }
    expect(answers).toEqual([200, 200, 429])
  })
})

describe('limits of callers', () => {
  const plugin = { ...BEARER, consumerClaims: [['cid']], consumerOptional: true }

  test('count the consumer, or whom the token names', async () => {
    const annotations = { 'rate-limit': '2/1h per consumer, 3/1h per credential' }
    const app = await startTrafficApp({ annotations, plugin })
    const authorization = `Bearer ${await app.token()}`
    expect(await statuses(app, 3, { authorization })).toEqual([200, 200, 429])
    const fresh = await app.send('GET /', { authorization: `Bearer ${await app.token()}` })
    expect(fresh.status).toBe(429)
    // Somebody else, or nobody, is not counted with it.
    expect((await app.send('GET /')).status).toBe(401)
    expect(app.seen).toHaveLength(2)
  })

  test('a Consumer has its own, on all routes, in place of theirs', async () => {
    const objects = [
      consumer('orders', { username: 'orders-service', rateLimits: ['3/1h'] }),
      ingress({ name: 'free', host: 'free.test', annotations: ours({ plugins: 'guard' }) }),
    ]
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '1/1h per consumer' },
      plugin,
      objects,
    })
    const authorization = `Bearer ${await app.token()}`
    expect(await statuses(app, 2, { authorization })).toEqual([200, 200])
    const free = await app.send('GET /', { Host: 'free.test', authorization })
    expect([free.status, free.headers['ratelimit-policy']]).toEqual([200, '"consumer-3600s";q=3;w=3600'])
    expect((await app.send('GET /', { Host: 'free.test', authorization })).status).toBe(429)
  })
})

test('a limit is the same on however many threads', async () => {
  const { port } = await upstream((_request, response) => response.end())
  const ostiary = await startThreadedOstiary({ workers: 2 })
  const annotations = ours({ 'rate-limit': '10/1h' })
  await ostiary.apply(...service('echo', port), ingress({ host: HOST, annotations }))
  const answers = await Promise.all(Array.from({ length: 30 }, () => oneRequest(ostiary.port)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(20)
})

async function oneRequest(port: number): Promise<RawResponse> {
  const client = await RawClient.open(port)
  client.write(requestText('GET /'))
  const response = await client.response()
  client.close()
  return response
}
