import { describe, expect, test } from 'vitest'
import { authority, caSecret } from '../../support/client-certificates.ts'
import { ingress, oidcPlugin, secret } from '../../support/manifests.ts'
import { HOST, ours, startTrafficApp, type TrafficApp } from '../../support/traffic-app.ts'

const LOGIN = {
  authMethods: ['bearer', 'session', 'authorization_code'],
  clientId: 'ostiary',
  clientSecretRef: { name: 'client' },
}
const CLIENT = secret('client', { clientSecret: 'ostiary-secret' })
const BEHIND_PROXY = { trustedProxies: ['127.0.0.1'] }

async function start(
  annotations: Record<string, string>,
  ...objects: readonly object[]
): Promise<(address?: string, query?: string) => Promise<number>> {
  const app = await startTrafficApp({
    annotations,
    path: '/app',
    plugin: LOGIN,
    objects: [CLIENT, ...objects],
    proxy: BEHIND_PROXY,
  })
  const token = await app.token()
  return (address = '192.0.2.1', query = '') => ask(app, token, address, query)
}

async function ask(app: TrafficApp, token: string, address: string, query: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address }
  return (await app.send(`GET /oauth2/auth${query}`, headers)).status
}

const another = (name: string, annotations: Record<string, string>): object =>
  ingress({ name, host: HOST, path: `/${name}`, annotations: ours({ plugins: 'guard', ...annotations }) })

describe('/oauth2/auth', () => {
  test('is no place to try tokens from where the routes refuse the address', async () => {
    const check = await start({ 'allow-source-range': '192.0.2.0/24', 'deny-source-range': '192.0.2.66' })
    expect(await check('192.0.2.1')).toBe(200)
    expect(await check('198.51.100.1')).toBe(403)
    expect(await check('192.0.2.66')).toBe(403)
  })

  test('counts as a request to the route, with those that went there', async () => {
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '3/1h' },
      path: '/app',
      plugin: LOGIN,
      objects: [CLIENT],
    })
    const guess = async (path: string) =>
      (await app.send(`GET ${path}`, { Authorization: 'Bearer x.y.z' })).status
    expect(await guess('/app')).toBe(401)
    expect(await guess('/oauth2/auth')).toBe(401)
    expect(await guess('/oauth2/auth')).toBe(401)
    expect(await guess('/oauth2/auth')).toBe(429)
    expect(await guess('/app')).toBe(429)
  })

  test('tells how many requests are left, as the route does', async () => {
    const app = await startTrafficApp({
      annotations: { 'rate-limit': '3/1h' },
      path: '/app',
      plugin: LOGIN,
      objects: [CLIENT],
    })
    const { headers } = await app.send('GET /oauth2/auth')
    expect(headers).toMatchObject({ 'ratelimit-policy': '"address-3600s";q=3;w=3600' })
  })

  test('is as wide as the widest way to the plugin, and no wider', async () => {
    const check = await start(
      { 'allow-source-range': '192.0.2.0/24' },
      another('partners', { 'allow-source-range': '198.51.100.0/24', 'rate-limit': '1/1h' }),
    )
    expect([await check('192.0.2.1'), await check('192.0.2.1')]).toEqual([200, 200])
    expect([await check('198.51.100.1'), await check('198.51.100.1')]).toEqual([200, 429])
    expect(await check('203.0.113.1')).toBe(403)
  })

  test('asks the routes of each plugin that judges', async () => {
    const open = oidcPlugin('open', {
      ...LOGIN,
      issuer: 'https://other.example',
      sessionCookieName: 'other',
      redirectUri: `http://${HOST}/back`,
    })
    const check = await start(
      { 'allow-source-range': '192.0.2.0/24' },
      open,
      ingress({ name: 'open', host: HOST, path: '/open', annotations: ours({ plugins: 'open' }) }),
    )
    expect(await check('198.51.100.1')).toBe(403)
    expect(await check('198.51.100.1', '?plugin=guard')).toBe(403)
    // The other plugin does not take the token, and nobody is kept from asking it.
    expect(await check('198.51.100.1', '?plugin=open')).toBe(401)
    expect(await check('192.0.2.1', '?plugin=nobody')).toBe(401)
  })

  test('asks for the certificate that the routes ask for', async () => {
    const ca = await authority('Ann and Co')
    const annotations = { 'client-ca-secret': 'clients' }
    const check = await start(annotations, caSecret('clients', { 'ca.crt': ca.certificateChainPem }))
    expect(await check()).toBe(403)
  })
})
