import { beforeAll, describe, expect, test } from 'vitest'
import { startForwardProxy } from '../../support/forward-proxy.ts'
import { openClient, reasonOf, startHostile, valueOf } from './open-client.ts'
import { createPrivateCa, type PrivateCa } from './private-ca.ts'

const LOOPBACK = 'is a loopback, link-local or unspecified address'

describe('an HTTP proxy', () => {
  let tls: PrivateCa

  beforeAll(async () => {
    tls = await createPrivateCa({ type: 7, ip: '127.0.0.1' })
  })

  test('of the settings tunnels https, and the certificate is the authorization server’s', async () => {
    const hostile = await startHostile({ tls })
    const proxy = await startForwardProxy()
    const { client } = openClient({ proxies: { httpsUrl: proxy.url } })
    const server = hostile.asPolicyServer({ certificateAuthorities: tls.ca })
    expect(valueOf(await client.metadata(server)).issuer).toBe(hostile.issuer)
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${new URL(hostile.issuer).host}`]))
    const distrusted = hostile.asPolicyServer({ id: 'no CA' })
    expect(reasonOf(await client.metadata(distrusted))).toContain('cannot be reached')
  })

  test('of the settings forwards http, chosen by the scheme of the endpoint', async () => {
    const hostile = await startHostile()
    const proxy = await startForwardProxy()
    const https = openClient({ proxies: { httpsUrl: proxy.url } })
    expect((await https.client.metadata(hostile.asPolicyServer())).ok).toBe(true)
    expect(proxy.asked).toEqual([])
    const http = openClient({ proxies: { httpUrl: proxy.url } })
    expect((await http.client.metadata(hostile.asPolicyServer())).ok).toBe(true)
    expect(proxy.asked).toEqual([`GET ${hostile.issuer}/.well-known/openid-configuration`])
  })

  test('of the policy comes before that of the settings, and so do its exemptions', async () => {
    const hostile = await startHostile()
    const own = await startForwardProxy()
    const shared = await startForwardProxy()
    const { client } = openClient({ proxies: { httpUrl: shared.url, exempt: ['*'] } })
    const ask = async (id: string, proxy: object): Promise<void> => {
      expect((await client.metadata(hostile.asPolicyServer({ id, proxy }))).ok).toBe(true)
    }
    await ask('exempt by the settings', { httpUrl: own.url })
    expect(own.asked).toEqual([])
    await ask('own', { httpUrl: own.url, exempt: [] })
    expect(own.asked).toHaveLength(1)
    await ask('shared', { exempt: [] })
    expect(shared.asked).toHaveLength(1)
    await ask('exempt', { httpUrl: own.url, exempt: ['127.0.0.1'] })
    expect([own.asked.length, shared.asked.length]).toEqual([1, 1])
  })

  test('gets its password, and no reason tells it', async () => {
    const hostile = await startHostile()
    const proxy = await startForwardProxy({ refuseWith: 407 })
    const url = proxy.url.replace('//', '//user:hunter2@')
    const { client } = openClient({ proxies: { httpUrl: url, httpsUrl: url } })
    const secret = Buffer.from('user:hunter2').toString('base64')
    for (const issuer of [hostile.issuer, hostile.issuer.replace('http:', 'https:')]) {
      const discoveryUrls = [`${issuer}/.well-known/openid-configuration`]
      const reason = reasonOf(await client.metadata(hostile.asPolicyServer({ id: issuer, discoveryUrls })))
      expect(reason).toMatch(/^discovery endpoint at 127\.0\.0\.1:\d+ cannot be reached: UND_ERR_/)
      expect(reason).not.toMatch(/hunter2/)
    }
    expect(proxy.credentials).toEqual([`Basic ${secret}`, `Basic ${secret}`])
    expect(hostile.requests).toEqual([])
  })

  test('that is down is unavailable, and nobody goes around it', async () => {
    const hostile = await startHostile()
    const { client } = openClient({ proxies: { httpUrl: 'http://127.0.0.1:1' } })
    reasonOf(await client.metadata(hostile.asPolicyServer()))
    expect(hostile.requests).toEqual([])
  })

  test('takes no more of an answer than without one', async () => {
    const hostile = await startHostile()
    hostile.behave('keys', () => ({ body: { keys: [], filler: 'x'.repeat(1_100_000) } }))
    const proxy = await startForwardProxy()
    const { client } = openClient({ proxies: { httpUrl: proxy.url } })
    expect(reasonOf(await client.keys(hostile.asPolicyServer()))).toContain('more than 1048576 bytes')
  })

  test('is read from no variable but through the settings', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:1'
    try {
      expect((await client.metadata(hostile.asPolicyServer())).ok).toBe(true)
    } finally {
      delete process.env['HTTP_PROXY']
    }
  })
})

describe('where local addresses are refused', () => {
  test('the proxy of the settings may be at one', async () => {
    const hostile = await startHostile({ hostName: 'localhost' })
    const proxy = await startForwardProxy()
    const { client } = openClient({ allowLoopback: false, proxies: { httpUrl: proxy.url } })
    expect((await client.metadata(hostile.asPolicyServer())).ok).toBe(true)
    expect(proxy.asked).toHaveLength(1)
  })

  test.each(['http://127.0.0.1:8', 'http://[::1]:8', 'http://169.254.169.254', 'http://localhost:8'])(
    'the proxy of a policy may not: %s',
    async (httpUrl) => {
      const hostile = await startHostile({ hostName: 'localhost' })
      const { client } = openClient({ allowLoopback: false })
      const reason = reasonOf(await client.metadata(hostile.asPolicyServer({ proxy: { httpUrl } })))
      expect(reason).toContain(LOOPBACK)
    },
  )

  test('no address gets past by a proxy, and none by an exemption', async () => {
    const hostile = await startHostile()
    const named = await startHostile({ hostName: 'localhost' })
    const proxy = await startForwardProxy()
    const { client } = openClient({
      allowLoopback: false,
      proxies: { httpUrl: proxy.url, exempt: ['localhost'] },
    })
    expect(reasonOf(await client.metadata(hostile.asPolicyServer()))).toContain(LOOPBACK)
    expect(reasonOf(await client.metadata(named.asPolicyServer({ id: 'named' })))).toContain(LOOPBACK)
    expect([proxy.asked, hostile.requests, named.requests]).toEqual([[], [], []])
  })
})
