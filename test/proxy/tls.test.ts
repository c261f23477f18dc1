import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import type { RoutingTable, Snapshot } from '../../src/table/routing-table.ts'
import { RawClient } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { GET, proxy, upstream } from './support.ts'

let fallback: KeyPair
const pairs = new Map<string, KeyPair>()

async function certificateFor(name: string): Promise<KeyPair> {
  const { cert, private: privateKeyPem } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
  })
  return { certificateChainPem: cert, privateKeyPem }
}

beforeAll(async () => {
  fallback = await createDefaultCertificate(new Date())
  for (const name of ['exact', 'wildcard', 'default', 'renewed']) pairs.set(name, await certificateFor(name))
})

function pair(name: string): KeyPair {
  const found = pairs.get(name)
  if (found === undefined) throw new Error(`no certificate ${name}`)
  return found
}

/** Server names to certificates by their subject's name. */
function tlsSnapshot(names: Readonly<Record<string, KeyPair>>, port: number): Snapshot {
  const certificates: Record<string, RoutingTable['certificates'][string]> = {}
  const secrets: Record<string, string> = {}
  for (const [name, { certificateChainPem, privateKeyPem }] of Object.entries(names)) {
    const id = `default/${name}`
    certificates[id] = { id, certificateChainPem, privateKey: `${id}/tls.key` }
    secrets[`${id}/tls.key`] = privateKeyPem
  }
  const serverNames = Object.keys(names).map((name) => ({ name, certificate: `default/${name}` }))
  const table = aTable(
    [aHost('example.com', [aRoute('web')])],
    { web: [port] },
    { certificates, serverNames },
  )
  return aSnapshot(table, secrets)
}

async function commonName(port: number, servername?: string): Promise<string> {
  const client = await RawClient.openTls({ port, ...(servername !== undefined && { servername }) })
  const certificate: DetailedPeerCertificate = (client.socket as TLSSocket).getPeerCertificate(true)
  client.close()
  return String(certificate.subject.CN)
}

async function tlsProxy(snapshot: (upstreamPort: number) => Snapshot) {
  const { port } = await upstream((request, response) => response.end(JSON.stringify(request.headers)))
  const running = await proxy(snapshot(port), { https: { port: 0 }, defaultCertificate: fallback })
  return { ...running, https: running.https ?? 0, upstreamPort: port }
}

test('the exact name wins, then one label of a wildcard, then the default', async () => {
  const { https } = await tlsProxy((port) =>
    tlsSnapshot(
      { 'a.example.com': pair('exact'), '*.example.com': pair('wildcard'), '': pair('default') },
      port,
    ),
  )
  expect(await commonName(https, 'a.example.com')).toBe('exact')
  expect(await commonName(https, 'A.Example.COM')).toBe('exact')
  expect(await commonName(https, 'b.example.com')).toBe('wildcard')
  expect(await commonName(https, 'c.b.example.com')).toBe('default')
  expect(await commonName(https, 'example.com')).toBe('default')
  expect(await commonName(https)).toBe('default')
})

test('without a default of the table, the one made at the start serves', async () => {
  const { https } = await tlsProxy((port) => tlsSnapshot({ 'a.example.com': pair('exact') }, port))
  expect(await commonName(https)).toBe('ostiary.invalid')
  expect(await commonName(https, 'b.example.com')).toBe('ostiary.invalid')
})

test.each([
  ['text', 'not PEM'],
  ['the key of another', ''],
])('a certificate with %s for a key costs its own name alone', async (_, privateKeyPem) => {
  const broken = {
    certificateChainPem: pair('exact').certificateChainPem,
    privateKeyPem: privateKeyPem === '' ? pair('wildcard').privateKeyPem : privateKeyPem,
  }
  const { https } = await tlsProxy((port) =>
    tlsSnapshot({ 'a.example.com': broken, '': broken, 'b.example.com': pair('renewed') }, port),
  )
  expect(await commonName(https, 'a.example.com')).toBe('ostiary.invalid')
  expect(await commonName(https, 'b.example.com')).toBe('renewed')
})

test('a renewed certificate serves new connections, and open ones go on', async () => {
  const { https, server, upstreamPort } = await tlsProxy((port) =>
    tlsSnapshot({ 'example.com': pair('exact'), '': pair('default') }, port),
  )
  const client = await RawClient.openTls({ port: https, servername: 'example.com' })
  client.write(GET)
  expect((await client.response()).status).toBe(200)
  server.publish(tlsSnapshot({ 'example.com': pair('renewed'), '': pair('renewed') }, upstreamPort))
  expect(await commonName(https, 'example.com')).toBe('renewed')
  expect(await commonName(https)).toBe('renewed')
  client.write(GET)
  expect((await client.response()).status).toBe(200)
  client.close()
})

test('the upstream learns the scheme', async () => {
  const { https } = await tlsProxy((port) => tlsSnapshot({}, port))
  const client = await RawClient.openTls({ port: https, servername: 'example.com' })
  client.write(GET)
  const { body } = await client.response()
  expect(JSON.parse(body)).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' })
  client.close()
})

test('TLS 1.1 is refused', async () => {
  const { https } = await tlsProxy((port) => tlsSnapshot({}, port))
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await expect(RawClient.openTls({ port: https, ...old })).rejects.toThrow(
    /protocol version|unsupported protocol/i,
  )
})

test('a session is resumed after a publish', async () => {
  const { https, server, upstreamPort } = await tlsProxy((port) => tlsSnapshot({ '': pair('default') }, port))
  const connect = async (session?: Buffer): Promise<{ reused: boolean; session: Buffer | undefined }> => {
    const options = { port: https, maxVersion: 'TLSv1.2', ...(session && { session }) } as const
    const client = await RawClient.openTls(options)
    const socket = client.socket as TLSSocket
    const result = { reused: socket.isSessionReused(), session: socket.getSession() }
    client.close()
    return result
  }
  const first = await connect()
  expect(first.reused).toBe(false)
  server.publish(tlsSnapshot({ '': pair('default'), 'a.example.com': pair('exact') }, upstreamPort))
  expect((await connect(first.session)).reused).toBe(true)
})

test.each([
  ['a key exchange without forward secrecy', 'AES128-GCM-SHA256'],
  ['CBC', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256'],
  ['3DES', 'ECDHE-RSA-DES-CBC3-SHA:DES-CBC3-SHA:@SECLEVEL=0'],
  ['no encryption', 'ECDHE-ECDSA-NULL-SHA:ECDHE-RSA-NULL-SHA:@SECLEVEL=0'],
])('%s is refused', async (_name, ciphers) => {
  const { https } = await tlsProxy((port) => tlsSnapshot({}, port))
  const client = RawClient.openTls({ port: https, maxVersion: 'TLSv1.2', ciphers })
  await expect(client).rejects.toThrow(/handshake failure|no ciphers available|no cipher match/i)
})

test.each([
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLSv1.3', 'TLS_AES_256_GCM_SHA384'],
] as const)('%s with %s is taken', async (maxVersion, ciphers) => {
  const { https } = await tlsProxy((port) => tlsSnapshot({}, port))
  const client = await RawClient.openTls({ port: https, maxVersion, ciphers })
  expect((client.socket as TLSSocket).getCipher().name).toBe(ciphers)
  client.close()
})

test('--tls-min-version 1.3 refuses TLS 1.2', async () => {
  const { port } = await upstream((_request, response) => response.end())
  const { https } = await proxy(tlsSnapshot({ 'example.com': pair('exact') }, port), {
    https: { port: 0 },
    defaultCertificate: fallback,
    tls: { minVersion: 'TLSv1.3' },
  })
  for (const servername of ['example.com', 'other.example.com']) {
    const old = RawClient.openTls({ port: https, servername, maxVersion: 'TLSv1.2' })
    await expect(old).rejects.toThrow(/protocol version/i)
  }
  const client = await RawClient.openTls({ port: https, servername: 'example.com' })
  expect((client.socket as TLSSocket).getProtocol()).toBe('TLSv1.3')
  client.close()
})

// Within a connection it could ask for another name, and would find it judged by the first.
test('no connection is negotiated anew', async () => {
  const { https } = await tlsProxy((port) => tlsSnapshot({}, port))
  const client = await RawClient.openTls({ port: https, maxVersion: 'TLSv1.2' })
  const error = await new Promise<Error | null>((resolve) => {
    client.socket.once('error', resolve)
    ;(client.socket as TLSSocket).renegotiate({ rejectUnauthorized: false }, resolve)
  })
  expect(error?.message).toMatch(/no renegotiation/i)
  client.close()
})
