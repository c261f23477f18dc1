import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createDefaultCertificate } from '../../../src/proxy/default-certificate.ts'
import { deadPort } from '../../proxy/support.ts'
import { ingress, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { RawClient } from '../../support/raw-http.ts'
import { get, httpUpstream, manifests, ours, send, serviceOn } from './support.ts'

/** Says its name and the Cookie header that it got. */
function named(name: string): Promise<number> {
  return httpUpstream((request, response) => {
    response.setHeader('X-Cookie', request.headers.cookie ?? '')
    response.end(name)
  })
}

/** Keeps requests for /hold until it is told. */
async function holding(name: string) {
  const held: ServerResponse[] = []
  let wake: () => void = () => {}
  const port = await httpUpstream((request, response) => {
    if (request.url !== '/hold') {
      response.end(name)
      return
    }
    held.push(response)
    wake()
  })
  return {
    port,
    held,
    async has(count: number) {
      while (held.length < count) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

async function hold(port: number, headers: Record<string, string> = {}): Promise<RawClient> {
  const client = await RawClient.open(port)
  onTestFinished(() => client.close())
  client.write(get(headers).replace(' / ', ' /hold '))
  return client
}

describe('load balancing', () => {
  test('by least requests passes by an endpoint that is busy', async () => {
    const [one, two] = [await holding('one'), await holding('two')]
    const ostiary = await startOstiary(
      manifests([one.port, two.port], { 'load-balancing': 'least-requests' }),
    )
    await hold(ostiary.port)
    const busy = await Promise.race([one.has(1).then(() => one), two.has(1).then(() => two)])
    const idle = busy === one ? 'two' : 'one'
    for (let i = 0; i < 6; i += 1) expect((await send(ostiary.port, get())).body).toBe(idle)
    const [first] = busy.held
    first?.end()
    const bodies = new Set<string>()
    await expect
      .poll(async () => {
        bodies.add((await send(ostiary.port, get())).body)
        return bodies.size
      })
      .toBe(2)
  })

  test('counts a request that failed or whose client left no longer', async () => {
    const [one, two] = [await holding('one'), await holding('two')]
    const ostiary = await startOstiary(
      manifests([one.port, two.port], { 'load-balancing': 'least-requests' }),
    )
    const clients = [await hold(ostiary.port), await hold(ostiary.port), await hold(ostiary.port)]
    await expect.poll(() => one.held.length + two.held.length).toBe(3)
    const closed = [...one.held, ...two.held].map(
      (each) => new Promise((resolve) => each.once('close', resolve)),
    )
    for (const client of clients) client.close()
    await Promise.all(closed)
    const bodies = []
    for (let i = 0; i < 4; i += 1) bodies.push((await send(ostiary.port, get())).body)
    expect(bodies.sort()).toEqual(['one', 'one', 'two', 'two'])
  })

  test('on the Ingress wins over that on the Service', async () => {
    const [one, two] = [await holding('one'), await holding('two')]
    const ostiary = await startOstiary(
      manifests(
        [one.port, two.port],
        { 'load-balancing': 'least-requests' },
        { 'load-balancing': 'round-robin' },
      ),
    )
    await hold(ostiary.port)
    await Promise.race([one.has(1), two.has(1)])
    const bodies = new Set<string>()
    for (let i = 0; i < 4; i += 1) bodies.add((await send(ostiary.port, get())).body)
    expect(bodies.size).toBe(2)
  })
})

describe('session affinity', () => {
  const AFFINITY = { 'session-affinity': 'cookie' }
  const SET_COOKIE = /^ostiary_[0-9a-f]{8}_os_a=([\w-]{22}); Path=\/; HttpOnly; SameSite=Lax$/

  async function three() {
    return Promise.all(['one', 'two', 'three'].map(named))
  }

  function cookieOf(setCookie: string | undefined): string {
    return setCookie?.split(';')[0] ?? ''
  }

  test('keeps a client at its endpoint by a cookie that says nothing of it', async () => {
    const ports = await three()
    const ostiary = await startOstiary(manifests(ports, AFFINITY))
    const first = await send(ostiary.port, get())
    const setCookie = first.headers['set-cookie'] ?? ''
    expect(setCookie).toMatch(SET_COOKIE)
    for (const encoding of ['base64url', 'base64', 'latin1', 'hex'] as const) {
      const decoded = Buffer.from(SET_COOKIE.exec(setCookie)?.[1] ?? '', encoding).toString('latin1')
      expect(decoded).not.toContain('127.0.0.1')
      for (const port of ports) expect(decoded).not.toContain(String(port))
    }
    for (let i = 0; i < 6; i += 1) {
      const next = await send(ostiary.port, get({ Cookie: `theirs=1; ${cookieOf(setCookie)}` }))
      expect(next.body).toBe(first.body)
      expect(next.headers).not.toHaveProperty('set-cookie')
      expect(next.headers['x-cookie']).toBe('theirs=1')
    }
  })

  test('survives that other endpoints come and go, and its own going', async () => {
    const ports = await three()
    const ostiary = await startOstiary(manifests(ports, AFFINITY))
    const first = await send(ostiary.port, get())
    const Cookie = cookieOf(first.headers['set-cookie'])
    const own = ports[['one', 'two', 'three'].indexOf(first.body)] ?? 0
    const more = await Promise.all(['four', 'five'].map(named))
    ostiary.apply(manifests([...more, own], AFFINITY))
    for (let i = 0; i < 5; i += 1) expect((await send(ostiary.port, get({ Cookie }))).body).toBe(first.body)
    ostiary.apply(manifests(more, AFFINITY))
    const moved = await send(ostiary.port, get({ Cookie }))
    expect(moved).toMatchObject({ status: 200 })
    expect(moved.headers['set-cookie']).toMatch(SET_COOKIE)
    const next = await send(ostiary.port, get({ Cookie: cookieOf(moved.headers['set-cookie']) }))
    expect(next.body).toBe(moved.body)
  })

  test('is the same at every replica, and another key knows nothing of it', async () => {
    const ports = await three()
    const sessionKey = randomBytes(32).toString('base64url')
    const one = await startOstiary(manifests(ports, AFFINITY), { sessionKey })
    const two = await startOstiary(manifests(ports, AFFINITY), { sessionKey })
    const stranger = await startOstiary(manifests(ports, AFFINITY))
    const first = await send(one.port, get())
    const Cookie = cookieOf(first.headers['set-cookie'])
    const second = await send(two.port, get({ Cookie }))
    expect(second.body).toBe(first.body)
    expect(second.headers).not.toHaveProperty('set-cookie')
    expect((await send(stranger.port, get({ Cookie }))).headers['set-cookie']).toMatch(SET_COOKIE)
  })

  test('moves on from an endpoint that cannot be reached', async () => {
    const port = await named('here')
    const dead = await deadPort()
    const sessionKey = randomBytes(32).toString('base64url')
    const alive = await startOstiary(manifests([port], AFFINITY), { sessionKey })
    const Cookie = cookieOf((await send(alive.port, get())).headers['set-cookie'])
    const ostiary = await startOstiary(manifests([dead, port], AFFINITY), { sessionKey })
    for (let i = 0; i < 3; i += 1) expect((await send(ostiary.port, get())).body).toBe('here')
    ostiary.apply(manifests([dead], AFFINITY))
    expect((await send(ostiary.port, get({ Cookie }))).status).toBe(502)
  })

  test('goes elsewhere while its endpoint is full, and then back', async () => {
    const [one, two] = [await holding('one'), await holding('two')]
    const limited = { ...AFFINITY, 'max-connections': '1' }
    const ostiary = await startOstiary(manifests([one.port, two.port], limited))
    const first = await send(ostiary.port, get())
    const Cookie = cookieOf(first.headers['set-cookie'])
    const [own, other] = first.body === 'one' ? [one, 'two'] : [two, 'one']
    await hold(ostiary.port, { Cookie })
    await own.has(1)
    const meanwhile = await send(ostiary.port, get({ Cookie }))
    expect(meanwhile.body).toBe(other)
    expect(meanwhile.headers).not.toHaveProperty('set-cookie')
    own.held[0]?.end()
    await expect.poll(async () => (await send(ostiary.port, get({ Cookie }))).body).toBe(first.body)
  })

  test.each(['', 'x', 'a'.repeat(22), '../../etc', '%00', '127.0.0.1:80'])(
    'takes a made-up value %j for none',
    async (value) => {
      const ports = await three()
      const ostiary = await startOstiary(manifests(ports, AFFINITY))
      const name = cookieOf((await send(ostiary.port, get())).headers['set-cookie']).split('=')[0]
      const response = await send(ostiary.port, get({ Cookie: `${name}=${value}` }))
      expect(response.status).toBe(200)
      expect(response.headers['set-cookie']).toMatch(SET_COOKIE)
    },
  )

  test('over https is for this host alone, and secure', async () => {
    const ostiary = await startOstiary(manifests(await three(), AFFINITY), {
      proxy: { https: { port: 0 }, defaultCertificate: await createDefaultCertificate(new Date()) },
    })
    const client = await RawClient.openTls({ port: ostiary.httpsPort ?? 0 })
    onTestFinished(() => client.close())
    client.write(get())
    expect((await client.response()).headers['set-cookie']).toMatch(
      /^__Host-ostiary_[0-9a-f]{8}_os_a=[\w-]{22}; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    )
  })

  test('lets no upstream set its cookie', async () => {
    const port = await httpUpstream((_, response) => {
      response.setHeader('Set-Cookie', ['ostiary_01234567_os_a=planted', 'theirs=1'])
      response.end()
    })
    const ostiary = await startOstiary(manifests([port]))
    expect((await send(ostiary.port, get())).headers['set-cookie']).toBe('theirs=1')
  })

  test('on an Ingress holds for its routes alone', async () => {
    const ports = await three()
    const ostiary = await startOstiary(
      yaml(
        ...serviceOn('web', ports),
        ingress({ host: 'app.example', service: 'web', annotations: ours(AFFINITY) }),
        ingress({ name: 'other', host: 'other.example', service: 'web' }),
      ),
    )
    expect((await send(ostiary.port, get())).headers['set-cookie']).toMatch(SET_COOKIE)
    expect((await send(ostiary.port, get({ Host: 'other.example' }))).headers).not.toHaveProperty(
      'set-cookie',
    )
  })
})
