import { request } from 'undici'
import { expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { upstream } from '../proxy/support.ts'
import { ingress, oidcPlugin, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'
import { RawClient } from '../support/raw-http.ts'

const HOST = 'shop.example.test'
const YEAR = 'max-age=31536000; includeSubDomains; preload'

async function start(hsts: string, annotations: Record<string, string> = {}) {
  const { port } = await upstream((incoming, response) => {
    response.setHeader('Strict-Transport-Security', 'max-age=1')
    response.end(incoming.url)
  })
  const plugin = oidcPlugin('orders', {
    issuer: 'https://issuer.example.test',
    authMethods: ['bearer'],
    audienceRequired: ['api://orders'],
  })
  const all = { 'ostiary.dev/hsts': hsts, ...annotations }
  const ostiary = await startOstiary(
    yaml(...service('echo', port), plugin, ingress({ host: HOST, annotations: all })),
    {
      proxy: {
        https: { host: '127.0.0.1', port: 0 },
        defaultCertificate: await createDefaultCertificate(new Date()),
        trustedProxies: ['127.0.0.1'],
      },
    },
  )
  return {
    ostiary,
    overHttp: async (headers: Record<string, string> = {}) => {
      const answer = await request(`${ostiary.url}/x`, { headers: { ...headers, host: HOST } })
      await answer.body.dump()
      return [answer.statusCode, answer.headers['strict-transport-security']]
    },
    overTls: async () => {
      const client = await RawClient.openTls({ port: ostiary.httpsPort, servername: HOST })
      client.write(`GET /x HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      const { status, headers } = await client.response()
      client.close()
      return [status, headers['strict-transport-security']]
    },
  }
}

test.each([
  ['max-age=300', 'max-age=300'],
  ['max-age=31536000; includeSubDomains', 'max-age=31536000; includeSubDomains'],
  [' MAX-AGE=063072000 ;includesubdomains;  preload ', 'max-age=63072000; includeSubDomains; preload'],
  ['max-age=0', 'max-age=0'],
])('%j is told over HTTPS, once, in place of what the upstream says', async (written, sent) => {
  const { overTls } = await start(written)
  expect(await overTls()).toEqual([200, sent])
})

test('is told over HTTPS only; a proxy that is believed says whether that was so', async () => {
  const { overHttp } = await start(YEAR)
  expect(await overHttp({ 'x-forwarded-proto': 'https' })).toEqual([200, YEAR])
  // What the upstream says of itself is its own affair.
  expect(await overHttp()).toEqual([200, 'max-age=1'])
})

test('comes with what Ostiary answers itself, but not with the redirect to HTTPS', async () => {
  const guarded = await start(YEAR, { 'ostiary.dev/plugins': 'orders' })
  expect(await guarded.overTls()).toEqual([401, YEAR])
  const redirecting = await start(YEAR, { 'ostiary.dev/ssl-redirect': 'true' })
  expect(await redirecting.overHttp()).toEqual([308, undefined])
})

test.each([
  '',
  '31536000',
  'max-age=-1',
  'max-age="300"',
  'max-age=300; preload',
  'max-age=31536000; preload',
  'max-age=300; includeSubDomains; preload',
  'max-age=300; includeSubDomains; includeSubDomains',
  'max-age=300; other',
  'max-age=300;',
  'includeSubDomains; max-age=300',
  'max-age=300\r\nX-Admin: 1',
])('%j is a slip that closes the route', async (written) => {
  const { ostiary, overTls } = await start(written)
  expect((await overTls())[0]).toBe(503)
  expect(ostiary.result().diagnostics.map(({ reason, path }) => `${reason} ${path}`)).toEqual([
    'InvalidAnnotation metadata.annotations[ostiary.dev/hsts]',
  ])
})
