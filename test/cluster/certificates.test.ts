import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { certificateFor, tlsSecret } from '../support/certificates.ts'
import { RawClient } from '../support/raw-http.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, serviceTo } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const HOST = 'shop.example.test'
const LIVE = { timeout: 20_000, interval: 25 }
const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`

describe.skipIf(clusterRequirement())('certificates on a cluster', () => {
  const address = hostAddress()
  let namespace: string
  let echo: Echo
  let ostiary: OstiaryProcess
  let port: number

  const use = (pair: KeyPair) => apply(namespace, tlsSecret('shop-tls', pair))

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-certificates')
    echo = await startEcho({ port: 0, host: address })
    await apply(
      namespace,
      ingressClass(namespace, 'ostiary.dev/ingress-controller'),
      ...serviceTo('echo', address, echo.port),
      ingressFor('shop', { className: namespace, host: HOST, tls: 'shop-tls' }),
    )
    const flags = ['--namespace', namespace, '--watch-namespace', namespace, '--ingress-class', namespace]
    ostiary = new OstiaryProcess(flags)
    await ostiary.ready()
    port = (await ostiary.ports()).https
  })

  afterAll(async () => {
    ostiary?.kill()
    await echo?.close()
    if (namespace === undefined) return
    await kubectl(['delete', 'ingressclass', namespace, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  /** Of the certificate that a new connection is shown. */
  async function shown(): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', servername: HOST, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint
  }

  const live = (pair: KeyPair) =>
    expect.poll(shown, LIVE).toBe(new X509Certificate(pair.certificateChainPem).fingerprint)

  const reasons = async (): Promise<string[]> => {
    const args = ['events.events.k8s.io', '--namespace', namespace]
    const { items } = (await getJson(args)) as { items: { reason: string; regarding: { name: string } }[] }
    return items.map(({ reason, regarding }) => `${regarding.name} ${reason}`)
  }
  const told = (reason: string) => expect.poll(reasons, LIVE).toContain(`shop ${reason}`)

  test('rotate under load: nothing is dropped, and new connections are shown the new one', async () => {
    const first = await certificateFor(HOST)
    await use(first)
    await live(first)
    const clients = await Promise.all(Array.from({ length: 4 }, () => openClient(port)))
    const stop = new AbortController()
    const answered = Promise.all(clients.map((client) => askUntil(client, stop.signal)))
    const handshaken = handshakeUntil(shown, stop.signal)
    try {
      for (let n = 0; n < 5; n += 1) {
        const next = await certificateFor(HOST)
        await use(next)
        await live(next)
      }
    } finally {
      stop.abort()
    }
    // Either rejects where a connection was lost, and an answer other than 200 is listed.
    for (const statuses of await answered) {
      expect(statuses.length).toBeGreaterThan(5)
      expect(new Set(statuses)).toEqual(new Set([200]))
    }
    expect(new Set(await handshaken).size).toBeGreaterThan(1)
    for (const client of clients) client.close()
  })

  test('that are out of their time are served, and Events and the log say so', async () => {
    const [past, future] = [new Date(Date.now() - 90 * 86_400_000), new Date(Date.now() + 90 * 86_400_000)]
    const expired = await certificateFor(HOST, {
      notBefore: past,
      notAfter: new Date(Date.now() - 86_400_000),
    })
    await use(expired)
    await live(expired)
    await told('CertificateExpired')
    const early = await certificateFor(HOST, {
      notBefore: new Date(Date.now() + 86_400_000),
      notAfter: future,
    })
    await use(early)
    await live(early)
    await told('CertificateNotYetValid')
    const soon = await certificateFor(HOST, { notBefore: past, notAfter: new Date(Date.now() + 86_400_000) })
    await use(soon)
    await live(soon)
    await told('CertificateExpiresSoon')
    for (const reason of ['CertificateExpired', 'CertificateNotYetValid', 'CertificateExpiresSoon']) {
      expect(ostiary.log).toContain(`"reason":"${reason}"`)
    }
  })

  test('for other names are served and told; only what cannot be used falls back to the default', async () => {
    const other = await certificateFor('other.example.test')
    await use(other)
    await live(other)
    await told('CertificateNameMismatch')
    await use({ ...other, privateKeyPem: (await certificateFor(HOST)).privateKeyPem })
    await told('CertificateInvalid')
    expect(await shown()).not.toBe(new X509Certificate(other.certificateChainPem).fingerprint)
    const good = await certificateFor(HOST)
    await use(good)
    await live(good)
  })
})

function openClient(port: number): Promise<RawClient> {
  return RawClient.openTls({ port, servername: HOST })
}

/** One request after another on one connection. */
async function askUntil(client: RawClient, signal: AbortSignal): Promise<number[]> {
  const statuses: number[] = []
  while (!signal.aborted) {
    client.write(GET)
    statuses.push((await client.response()).status)
  }
  return statuses
}

async function handshakeUntil(shown: () => Promise<string>, signal: AbortSignal): Promise<string[]> {
  const fingerprints: string[] = []
  while (!signal.aborted) fingerprints.push(await shown())
  return fingerprints
}
