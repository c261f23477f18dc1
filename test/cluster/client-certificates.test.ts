import type { ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { certificateFor, tlsSecret } from '../support/certificates.ts'
import { authority, caSecret, clientCertificate } from '../support/client-certificates.ts'
import { RawClient } from '../support/raw-http.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, serviceTo } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const HOST = 'mutual.example.test'
const PLAIN = 'plain.example.test'
const LIVE = { timeout: 20_000, interval: 25 }

describe.skipIf(clusterRequirement())('client certificates on a cluster', () => {
  const address = hostAddress()
  let namespace: string
  let echo: Echo
  let ostiary: OstiaryProcess
  let ca: KeyPair
  let otherCa: KeyPair

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-mutual')
    echo = await startEcho({ port: 0, host: address })
    ca = await authority('Ann and Co')
    otherCa = await authority('Others')
    await apply(
      namespace,
      ingressClass(namespace, 'ostiary.dev/ingress-controller'),
      ...serviceTo('echo', address, echo.port),
      tlsSecret('web-tls', await certificateFor(HOST)),
      ingressFor('plain', { className: namespace, host: PLAIN, tls: 'web-tls' }),
      mutual(),
    )
    const flags = ['--namespace', namespace, '--watch-namespace', namespace, '--ingress-class', namespace]
    ostiary = new OstiaryProcess([...flags, '--tls-min-version', '1.3', '--https-redirect-port', '8443'])
    await ostiary.ready()
  })

  afterAll(async () => {
    ostiary?.kill()
    await echo?.close()
    if (namespace === undefined) return
    await kubectl(['delete', 'ingressclass', namespace, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  function mutual(): object {
    const made = ingressFor('mutual', { className: namespace, host: HOST, tls: 'web-tls' }) as {
      metadata: { annotations: object }
    }
    const annotations = { 'ostiary.dev/client-ca-secret': 'clients', 'ostiary.dev/hsts': 'max-age=300' }
    return { ...made, metadata: { ...made.metadata, annotations } }
  }

  async function ask(host: string, options: ConnectionOptions = {}) {
    const { https: port } = await ostiary.ports()
    const client = await RawClient.openTls({ port, servername: host, ...options })
    client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nSsl-Client-Subject-DN: CN=forged\r\n\r\n`)
    const response = await client.response()
    client.close()
    return response
  }

  const live = (expected: number, options: ConnectionOptions = {}) =>
    expect.poll(async () => (await ask(HOST, options)).status, LIVE).toBe(expected)

  test('the Secret comes, changes and goes, and the route is open to nobody else at any time', async () => {
    const ann = await clientCertificate(ca, 'ann')
    const bob = await clientCertificate(otherCa, 'bob')
    await live(503, ann)
    await apply(namespace, caSecret('clients', { 'ca.crt': ca.certificateChainPem }))
    await live(200, ann)
    const { body, headers } = await ask(HOST, ann)
    expect(body).toContain('CN=ann')
    expect(body).not.toContain('forged')
    expect(headers['strict-transport-security']).toBe('max-age=300')
    expect((await ask(HOST)).status).toBe(403)
    expect((await ask(HOST, bob)).status).toBe(403)
    expect((await ask(PLAIN, bob)).status).toBe(200)
    expect((await ask(HOST, { ...ann, servername: PLAIN })).status).toBe(421)

    await apply(namespace, caSecret('clients', { 'ca.crt': otherCa.certificateChainPem }))
    await live(200, bob)
    expect((await ask(HOST, ann)).status).toBe(403)
    await kubectl(['--namespace', namespace, 'label', 'secret', 'clients', 'ostiary.dev/secret-'])
    await live(503, bob)
  })

  test('what the flags say of TLS holds for both kinds of hosts', async () => {
    for (const host of [HOST, PLAIN]) {
      await expect(ask(host, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/i)
      const { headers, status } = await ostiary.get(host, '/x?y=1')
      expect([status, headers['location']]).toEqual([308, `https://${host}:8443/x?y=1`])
    }
  })
})
