import type { TLSSocket } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { certificateFor, tlsSecret, withTls, type CertificateOptions } from '../support/certificates.ts'
import { ingress, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'
import { RawClient } from '../support/raw-http.ts'

const HOST = 'shop.example.test'
let fallback: KeyPair

beforeAll(async () => {
  fallback = await createDefaultCertificate(new Date())
})

/** The name on the certificate that a client of `HOST` is shown, and the reasons of the diagnostics. */
async function shown(pair: KeyPair) {
  const app = withTls(ingress({ host: HOST }), 'shop-tls', HOST)
  const manifests = yaml(...service('echo', 1), tlsSecret('shop-tls', pair), app)
  const proxy = { https: { host: '127.0.0.1', port: 0 }, defaultCertificate: fallback }
  const ostiary = await startOstiary(manifests, { proxy })
  const client = await RawClient.openTls({ port: ostiary.httpsPort, servername: HOST })
  const name = (client.socket as TLSSocket).getPeerCertificate().subject.CN
  client.close()
  return { name, reasons: ostiary.result().diagnostics.map(({ reason }) => reason) }
}

const ago = (days: number): Date => new Date(Date.now() - days * 24 * 3600 * 1000)

test.each<[string, CertificateOptions]>([
  ['expired', { notBefore: ago(90), notAfter: ago(1) }],
  ['not valid yet', { notBefore: ago(-1), notAfter: ago(-90) }],
])(
  'one that is %s is served: clients that look away go on, and others see whose it is',
  async (_, options) => {
    expect((await shown(await certificateFor(HOST, options))).name).toBe(HOST)
  },
)

test('one for other names is served and reported', async () => {
  const { name, reasons } = await shown(await certificateFor('other.example.test'))
  expect(name).toBe('other.example.test')
  expect(reasons).toEqual(['CertificateNameMismatch'])
})

test.each([
  ['a key of 1024 bits', async () => certificateFor(HOST, { rsaBits: 1024 })],
  [
    'the key of another',
    async () => ({
      ...(await certificateFor(HOST)),
      privateKeyPem: (await certificateFor(HOST)).privateKeyPem,
    }),
  ],
  ['no key', async () => ({ ...(await certificateFor(HOST)), privateKeyPem: '' })],
])('one with %s cannot be served: the default is', async (_name, make) => {
  expect((await shown(await make())).name).toBe('ostiary.invalid')
})
