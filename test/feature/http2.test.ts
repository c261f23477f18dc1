import { once } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { ask, open } from '../proxy/http2/support.ts'
import { upstream } from '../proxy/support.ts'
import { certificateFor, tlsSecret, withTls } from '../support/certificates.ts'
import { authority, caSecret, clientCertificate } from '../support/client-certificates.ts'
import { ingress, service, yaml } from '../support/manifests.ts'
import { startOstiary, type Ostiary } from '../support/ostiary.ts'

const MUTUAL = 'mutual.example.test'
const OTHER = 'other.example.test'
const PLAIN = 'plain.example.test'
const SECOND = 'second.example.test'

let fallback: KeyPair
let certificate: KeyPair
let ca: KeyPair
let otherCa: KeyPair
let ann: ConnectionOptions

beforeAll(async () => {
  fallback = await createDefaultCertificate(new Date())
  // One for all of them: what lets browsers use one connection for several hosts (RFC 9113 §9.1.1).
  certificate = await certificateFor('*.example.test')
  ca = await authority('Ann and Co')
  otherCa = await authority('Others')
  ann = await clientCertificate(ca, 'ann')
})

interface Running {
  readonly ostiary: Ostiary & { readonly httpsPort: number }
  readonly seen: string[]
  readonly apply: (mutualAuthorities: string) => void
}

async function start(trustedProxies: readonly string[] = []): Promise<Running> {
  const seen: string[] = []
  const { port } = await upstream((request, response) => {
    seen.push(request.headers.host ?? '')
    response.end(JSON.stringify(request.headers))
  })
  const host = (name: string, annotations: Record<string, string> = {}): object =>
    withTls(ingress({ name: name.split('.')[0] ?? '', host: name, annotations }), 'web-tls', name)
  const manifests = (mutualAuthorities: string): string =>
    yaml(
      ...service('echo', port),
      tlsSecret('web-tls', certificate),
      caSecret('clients', { 'ca.crt': ca.certificateChainPem }),
      caSecret('others', { 'ca.crt': otherCa.certificateChainPem }),
      host(MUTUAL, { 'ostiary.dev/client-ca-secret': mutualAuthorities }),
      host(OTHER, { 'ostiary.dev/client-ca-secret': 'others' }),
      host(PLAIN),
      host(SECOND),
    )
  const https = { host: '127.0.0.1', port: 0 }
  const ostiary = await startOstiary(manifests('clients'), {
    proxy: { https, defaultCertificate: fallback, trustedProxies },
  })
  const { httpsPort = 0 } = ostiary
  return { ostiary: { ...ostiary, httpsPort }, seen, apply: (name) => void ostiary.apply(manifests(name)) }
}

describe('over HTTP/2', () => {
  test('client certificates are asked for by host, and upstreams told whose they are', async () => {
    const { ostiary, seen } = await start()
    const session = await open(ostiary.httpsPort, { servername: MUTUAL, ...ann })
    const forged = { 'ssl-client-verify': 'FORGED', 'client-cert': ':AA==:' }
    const answer = await ask(session, { ':authority': MUTUAL, ...forged })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-subject-dn': 'CN=ann',
      'client-cert': expect.stringMatching(/^:[A-Za-z0-9+/]{50,}=*:$/),
    })
    const stranger = await open(ostiary.httpsPort, { servername: MUTUAL })
    expect((await ask(stranger, { ':authority': MUTUAL, ...forged })).status).toBe(403)
    expect(seen).toEqual([MUTUAL])
  })

  test('one connection serves hosts that ask for the same, and 421 sends the others to one of their own', async () => {
    const { ostiary, seen } = await start()
    const plain = await open(ostiary.httpsPort, { servername: PLAIN, ...ann })
    for (const host of [PLAIN, SECOND]) {
      expect((await ask(plain, { ':authority': host })).status).toBe(200)
    }
    expect((await ask(plain, { ':authority': MUTUAL })).status).toBe(421)
    for (const host of [PLAIN, OTHER]) {
      const mutual = await open(ostiary.httpsPort, { servername: MUTUAL, ...ann })
      expect((await ask(mutual, { ':authority': MUTUAL })).status).toBe(200)
      expect((await ask(mutual, { ':authority': host })).status).toBe(421)
    }
    expect(seen).toEqual([PLAIN, SECOND, MUTUAL, MUTUAL])
  })

  test('a connection whose host has other authorities by now is ended with its 421', async () => {
    const { ostiary, apply, seen } = await start()
    const session = await open(ostiary.httpsPort, { servername: MUTUAL, ...ann })
    expect((await ask(session, { ':authority': MUTUAL })).status).toBe(200)
    apply('others')
    const [gone, closed] = [once(session, 'goaway'), once(session, 'close')]
    expect((await ask(session, { ':authority': MUTUAL })).status).toBe(421)
    expect((await gone)[0]).toBe(0)
    await closed
    expect(seen).toEqual([MUTUAL])
  })

  test('what a proxy in front says is believed as over HTTP/1.1', async () => {
    const fields = { ':authority': PLAIN, 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'http' }
    const strict = await start()
    const untrusted = await ask(await open(strict.ostiary.httpsPort), fields)
    expect(JSON.parse(untrusted.body)).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
    })
    const { ostiary } = await start(['127.0.0.1'])
    const trusted = await ask(await open(ostiary.httpsPort), fields)
    // The host has TLS: who came to the proxy without it is sent there.
    expect([trusted.status, trusted.headers.location]).toEqual([308, `https://${PLAIN}/`])
    const believed = await ask(await open(ostiary.httpsPort), { ...fields, 'x-forwarded-proto': 'https' })
    expect(JSON.parse(believed.body)).toMatchObject({ 'x-forwarded-for': '192.0.2.7, 127.0.0.1' })
  })
})
