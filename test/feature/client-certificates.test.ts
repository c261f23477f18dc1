import { connect as connectTcp, createServer, type AddressInfo } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { certificateFor, tlsSecret, withTls } from '../support/certificates.ts'
import { authority, caSecret, clientCertificate } from '../support/client-certificates.ts'
import { ingress, service, yaml } from '../support/manifests.ts'
import { startOstiary, type Ostiary } from '../support/ostiary.ts'
import { RawClient, rawRequest, type RawResponse } from '../support/raw-http.ts'
import { tcpUpstream, upstream } from '../proxy/support.ts'

const MUTUAL = 'mutual.example.test'
const OPTIONAL = 'optional.example.test'
const PLAIN = 'plain.example.test'
const OTHER = 'other.example.test'

let fallback: KeyPair
let ca: KeyPair
let otherCa: KeyPair
let ann: { cert: string; key: string }
let web: KeyPair

beforeAll(async () => {
  fallback = await createDefaultCertificate(new Date())
  ca = await authority('Ann and Co')
  otherCa = await authority('Others')
  ann = await clientCertificate(ca, 'ann')
  web = await certificateFor(MUTUAL)
})

const asking = (secret: string, mode?: string): Record<string, string> => ({
  'ostiary.dev/client-ca-secret': secret,
  ...(mode !== undefined && { 'ostiary.dev/client-certificate': mode }),
})

interface Running {
  readonly ostiary: Ostiary
  readonly seen: string[]
  readonly manifests: (...objects: readonly object[]) => string
}

/** Hosts that ask for certificates of `ca`, need none, or take one of other authorities. */
async function start(...more: readonly object[]): Promise<Running> {
  const seen: string[] = []
  const { port } = await upstream((request, response) => {
    seen.push(request.headers.host ?? '')
    response.end(JSON.stringify(request.headers))
  })
  const manifests = (...objects: readonly object[]): string =>
    yaml(...service('echo', port), tlsSecret('web-tls', web), ...objects)
  const proxy = { https: { host: '127.0.0.1', port: 0 }, defaultCertificate: fallback }
  const ostiary = await startOstiary(manifests(...hosts(), ...more), { proxy })
  return { ostiary, seen, manifests }
}

function hosts(): object[] {
  const of = (name: string, host: string, annotations: Record<string, string>): object =>
    withTls(ingress({ name, host, annotations }), 'web-tls', host)
  return [
    caSecret('clients', { 'ca.crt': ca.certificateChainPem }),
    caSecret('others', { 'ca.crt': otherCa.certificateChainPem }),
    of('mutual', MUTUAL, asking('clients')),
    of('optional', OPTIONAL, asking('clients', 'optional')),
    of('plain', PLAIN, {}),
    of('other', OTHER, asking('others', 'required')),
  ]
}

function get(host: string, ...fields: readonly string[]): string {
  return [`GET / HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n')
}

/** One request; the server name is the host unless it is given. */
async function ask(
  { ostiary }: Running,
  host: string,
  options: ConnectionOptions = {},
  ...fields: readonly string[]
): Promise<RawResponse> {
  const client = await RawClient.openTls({ port: ostiary.httpsPort, servername: host, ...options })
  client.write(get(host, ...fields))
  const response = await client.response()
  client.close()
  return response
}

function headersOf({ body }: RawResponse): Record<string, string> {
  return JSON.parse(body) as Record<string, string>
}

describe('a host that requires client certificates', () => {
  test('takes one of its authorities, and tells the upstream whose it is', async () => {
    const running = await start()
    const response = await ask(running, MUTUAL, ann)
    expect(response.status).toBe(200)
    expect(headersOf(response)).toMatchObject({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-subject-dn': 'CN=ann',
      'ssl-client-issuer-dn': 'CN=Ann and Co',
      'client-cert': expect.stringMatching(/^:[A-Za-z0-9+/]+=*:$/),
    })
  })

  test.each<[string, () => Promise<ConnectionOptions>]>([
    ['no certificate', async () => ({})],
    ['one of other authorities', () => clientCertificate(otherCa, 'ann')],
    ['one that signed itself', async () => pairOf(await certificateFor('ann'))],
    ['an authority of the same name', async () => clientCertificate(await authority('Ann and Co'), 'ann')],
    ['one that has expired', () => clientCertificate(ca, 'ann', { notBefore: days(-9), notAfter: days(-1) })],
    [
      'one that is not valid yet',
      () => clientCertificate(ca, 'ann', { notBefore: days(1), notAfter: days(9) }),
    ],
    ['one for servers', () => clientCertificate(ca, 'ann', { usage: { serverAuth: true } })],
    [
      'one by a client that is no authority',
      async () => clientCertificate({ certificateChainPem: ann.cert, privateKeyPem: ann.key }, 'bob'),
    ],
  ])('refuses %s, whatever its headers say', async (_name, options) => {
    const running = await start()
    const forged = ['Ssl-Client-Verify: SUCCESS', 'Ssl-Client-Subject-DN: CN=ann', 'Client-Cert: :AA==:']
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await ask(running, MUTUAL, { ...(await options()), maxVersion }, ...forged).catch(
        (error: Error) => error.message,
      )
      // OpenSSL itself ends the connection where a signature is wrong.
      if (typeof answer === 'string') expect(answer).toContain('ended')
      else expect([answer.status, answer.body.includes('client_certificate')]).toEqual([403, true])
    }
    expect(running.seen).toEqual([])
  })

  test('is refused over plain HTTP, also from a proxy that is believed', async () => {
    const { ostiary, manifests, seen } = await start()
    const annotations = { ...asking('clients'), 'ostiary.dev/ssl-redirect': 'false' }
    const secret = caSecret('clients', { 'ca.crt': ca.certificateChainPem })
    ostiary.apply(manifests(secret, ingress({ host: MUTUAL, annotations })))
    const forged = ['X-Forwarded-Proto: https', 'Ssl-Client-Verify: SUCCESS']
    expect((await rawRequest(ostiary.port, get(MUTUAL, ...forged))).status).toBe(403)
    expect(seen).toEqual([])
  })

  test('answers no TRACE, which would show what upstreams are told', async () => {
    const running = await start()
    const client = await RawClient.openTls({ port: running.ostiary.httpsPort, servername: MUTUAL, ...ann })
    client.write(get(MUTUAL).replace('GET', 'TRACE'))
    expect((await client.response()).status).toBe(405)
    client.close()
    expect(running.seen).toEqual([])
  })
})

describe('a host where certificates are optional', () => {
  test('takes who has none, and says so', async () => {
    const response = await ask(await start(), OPTIONAL, {}, 'Ssl_Client_Verify: SUCCESS')
    expect(response.status).toBe(200)
    const headers = headersOf(response)
    expect(headers).toMatchObject({ 'ssl-client-verify': 'NONE' })
    expect(
      Object.keys(headers)
        .filter((name) => name.includes('ssl'))
        .toSorted(),
    ).toEqual(['ssl-client-verify'])
  })

  test('takes one that is good, and refuses one that is not', async () => {
    const running = await start()
    expect(headersOf(await ask(running, OPTIONAL, ann))).toMatchObject({ 'ssl-client-subject-dn': 'CN=ann' })
    expect((await ask(running, OPTIONAL, await clientCertificate(otherCa, 'ann'))).status).toBe(403)
  })
})

test('a WebSocket is opened with a certificate, and with none it is not', async () => {
  const heads: string[] = []
  const { port } = await tcpUpstream((socket) => {
    socket.once('data', (head) => {
      heads.push(String(head))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.on('data', (chunk) => socket.write(chunk))
    })
  })
  const { ostiary } = await start()
  const [clients] = hosts()
  const annotations = asking('clients')
  ostiary.apply(yaml(...service('echo', port), clients ?? {}, ingress({ host: MUTUAL, annotations })))
  const upgrade = get(MUTUAL, 'Connection: Upgrade', 'Upgrade: websocket', 'Ssl-Client-Verify: SUCCESS')
  const open = (options: ConnectionOptions): Promise<RawClient> =>
    RawClient.openTls({ port: ostiary.httpsPort, servername: MUTUAL, ...options })
  const stranger = await open({})
  stranger.write(upgrade)
  expect((await stranger.response()).status).toBe(403)
  expect(heads).toEqual([])
  const client = await open(ann)
  client.write(upgrade)
  expect((await client.response()).status).toBe(101)
  client.write('through')
  await client.until((received) => received === 'through')
  expect(heads[0]?.match(/^ssl-client-verify: .*$/gim)).toEqual(['Ssl-Client-Verify: SUCCESS'])
  expect(heads[0]).toContain('Ssl-Client-Subject-Dn: CN=ann')
  client.close()
  stranger.close()
})

test('no client says anything of certificates where none is asked for', async () => {
  const forged = ['SSL-Client-Verify: SUCCESS', 'ssl_client_subject_dn: CN=root', 'Client-Cert: :AA==:']
  const response = await ask(await start(), PLAIN, await clientCertificate(otherCa, 'x'), ...forged)
  expect(response.status).toBe(200)
  expect(Object.keys(headersOf(response)).filter((name) => /ssl|client/.test(name))).toEqual([])
})

test('names are told in one way only, whatever is in them', async () => {
  const attributes = [
    { shortName: 'O', value: String.raw`Acme\, Inc. \+ \"Söhne\"\0D\0AX-Admin: 1` },
    { shortName: 'OU', value: String.raw`\ =x\,CN=root` },
  ]
  const response = await ask(await start(), MUTUAL, await clientCertificate(ca, 'Zoë', { attributes }))
  const headers = headersOf(response)
  expect(headers).not.toHaveProperty('x-admin')
  expect(headers['ssl-client-subject-dn']).toMatch(
    /^CN=Zo\\C3\\AB,OU=\\ =x\\,CN=root,O=Acme\\, Inc\. \\\+ \\"S\\C3\\B6hne\\"\\0D\\0AX-Admin: 1$/,
  )
})

describe('a server name that is not the host', () => {
  test.each<[string, ConnectionOptions, string]>([
    ['without a certificate asked for', { servername: PLAIN }, MUTUAL],
    ['that no Ingress has', { servername: 'nobody.example.test' }, MUTUAL],
    ['that is not sent at all', { servername: '' }, MUTUAL],
    ['of other authorities', { servername: OTHER }, MUTUAL],
    ['of a host that asks for more', { servername: MUTUAL }, PLAIN],
  ])('%s is misdirected', async (_name, options, host) => {
    const running = await start()
    const client = await RawClient.openTls({ port: running.ostiary.httpsPort, ...options, ...ann })
    client.write(get(host))
    const { status, headers } = await client.response()
    expect([status, headers['connection']]).toEqual([421, 'close'])
    await client.closed()
    expect(running.seen).toEqual([])
  })

  test('of the same authorities is taken: what was found out in the handshake holds there too', async () => {
    const running = await start()
    expect((await ask(running, MUTUAL, { ...ann, servername: OPTIONAL })).status).toBe(200)
    expect((await ask(running, MUTUAL, { servername: OPTIONAL })).status).toBe(403)
  })

  test('in other letters, or with a dot at its end, is the host', async () => {
    const running = await start()
    for (const servername of [MUTUAL.toUpperCase(), `${MUTUAL}.`]) {
      expect((await ask(running, MUTUAL, { ...ann, servername })).status).toBe(200)
    }
  })
})

/** CVE-2025-23419: a session of one host passed for a verified one on another. */
describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a TLS session (%s)', (maxVersion) => {
  async function resumed(
    running: Running,
    first: readonly [host: string, options: ConnectionOptions],
    then: readonly [host: string, options: ConnectionOptions],
  ) {
    const session = await sessionOf(running, first[0], { ...first[1], maxVersion })
    const client = await RawClient.openTls({
      port: running.ostiary.httpsPort,
      servername: then[0],
      ...then[1],
      maxVersion,
      session,
    })
    client.write(get(then[0]))
    const { status } = await client.response()
    const reused = (client.socket as TLSSocket).isSessionReused()
    client.close()
    return { status, reused }
  }

  test('of another host brings nobody in', async () => {
    const running = await start()
    expect(await resumed(running, [PLAIN, {}], [MUTUAL, {}])).toEqual({ status: 403, reused: false })
    expect(await resumed(running, [OTHER, await clientCertificate(otherCa, 'x')], [MUTUAL, {}])).toEqual({
      status: 403,
      reused: false,
    })
    expect(running.seen).not.toContain(MUTUAL)
  })

  test('of a verified client brings nobody in without its certificate, and is not needed with it', async () => {
    const running = await start()
    expect(await resumed(running, [MUTUAL, ann], [MUTUAL, {}])).toEqual({ status: 403, reused: false })
    expect(await resumed(running, [MUTUAL, ann], [MUTUAL, ann])).toEqual({ status: 200, reused: false })
    expect(await resumed(running, [MUTUAL, ann], [PLAIN, {}])).toEqual({ status: 200, reused: false })
  })

  test('is resumed where nobody is asked for a certificate', async () => {
    expect(await resumed(await start(), [PLAIN, {}], [PLAIN, {}])).toEqual({ status: 200, reused: true })
  })
})

describe('authorities', () => {
  const secured = (annotations: Record<string, string>, name = 'app', path = '/'): object =>
    withTls(ingress({ name, host: 'app.example.test', path, annotations }), 'web-tls', 'app.example.test')

  test.each<[string, () => object[], string]>([
    ['that are not there', () => [], 'SecretNotFound'],
    ['without ca.crt', () => [caSecret('mine', { 'tls.crt': ca.certificateChainPem })], 'ClientCaInvalid'],
    ['that are no PEM', () => [caSecret('mine', { 'ca.crt': 'x' })], 'ClientCaInvalid'],
    ['that are no authorities', () => [caSecret('mine', { 'ca.crt': ann.cert })], 'ClientCaInvalid'],
    [
      'with a revocation list that is none',
      () => [caSecret('mine', { 'ca.crt': ca.certificateChainPem, 'ca.crl': 'x' })],
      'ClientCaInvalid',
    ],
  ])('%s close the route', async (_name, secrets, reason) => {
    const running = await start(secured(asking('mine')), ...secrets())
    expect((await ask(running, 'app.example.test', ann)).status).toBe(503)
    expect(running.ostiary.result().diagnostics.map((each) => each.reason)).toContain(reason)
    expect(running.seen).toEqual([])
  })

  test('of two Ingresses of a host must be the same: the younger is closed', async () => {
    const running = await start(
      secured(asking('clients'), 'app'),
      secured(asking('others'), 'younger', '/younger'),
    )
    const client = await RawClient.openTls({
      port: running.ostiary.httpsPort,
      servername: 'app.example.test',
      ...ann,
    })
    client.write(get('app.example.test'))
    expect((await client.response()).status).toBe(200)
    client.write(get('app.example.test').replace('GET /', 'GET /younger'))
    expect((await client.response()).status).toBe(503)
    client.close()
    expect(running.ostiary.result().diagnostics.map(({ reason }) => reason)).toContain('ClientCaConflict')
  })

  test('that change count at once: an open connection is told to come again', async () => {
    const running = await start()
    const { ostiary, manifests } = running
    const client = await RawClient.openTls({ port: ostiary.httpsPort, servername: MUTUAL, ...ann })
    client.write(get(MUTUAL))
    expect((await client.response()).status).toBe(200)
    const [, ...rest] = hosts()
    ostiary.apply(manifests(caSecret('clients', { 'ca.crt': otherCa.certificateChainPem }), ...rest))
    client.write(get(MUTUAL))
    expect((await client.response()).status).toBe(421)
    await client.closed()
    expect((await ask(running, MUTUAL, ann)).status).toBe(403)
    expect((await ask(running, MUTUAL, await clientCertificate(otherCa, 'x'))).status).toBe(200)
    ostiary.apply(manifests(...rest))
    expect((await ask(running, MUTUAL, ann)).status).toBe(503)
  })

  test('need not be roots', async () => {
    const between = await clientCertificate(ca, 'Between', { isAuthority: true })
    const intermediate = { certificateChainPem: between.cert, privateKeyPem: between.key }
    const bob = await clientCertificate(intermediate, 'bob')
    const running = await start(secured(asking('mine')), caSecret('mine', { 'ca.crt': between.cert }))
    expect((await ask(running, 'app.example.test', bob)).status).toBe(200)
    expect((await ask(running, 'app.example.test', ann)).status).toBe(403)
    // With the root alone, the client sends what is between.
    expect((await ask(running, MUTUAL, bob)).status).toBe(403)
    expect((await ask(running, MUTUAL, { ...bob, cert: `${bob.cert}\n${between.cert}` })).status).toBe(200)
  })

  test('of a wildcard host are asked for by every name below it but those that have their own', async () => {
    const annotations = asking('others')
    const running = await start(
      withTls(ingress({ name: 'wild', host: '*.example.test', annotations }), 'web-tls'),
    )
    const theirs = await clientCertificate(otherCa, 'x')
    expect((await ask(running, 'any.example.test', theirs)).status).toBe(200)
    expect((await ask(running, 'any.example.test', ann)).status).toBe(403)
    expect((await ask(running, MUTUAL, ann)).status).toBe(200)
    expect((await ask(running, PLAIN, {})).status).toBe(200)
  })
})

test('a client that is slow to say its name is served; one that never does is let go', async () => {
  const running = await start()
  // Every byte in a segment of its own: records and messages arrive in pieces.
  const slow = createServer((socket) => {
    const to = connectTcp({ port: running.ostiary.httpsPort ?? 0, host: '127.0.0.1', noDelay: true })
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 100) to.write(chunk.subarray(at, at + 100))
    })
    to.on('data', (chunk) => socket.write(chunk))
    socket.on('close', () => to.destroy()).on('error', () => to.destroy())
    to.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => {
    slow.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void slow.close())
  const { port } = slow.address() as AddressInfo
  for (const host of [MUTUAL, PLAIN]) expect((await ask(running, host, { ...ann, port })).status).toBe(200)
})

test.each([
  ['plain HTTP', get(MUTUAL)],
  ['nothing like TLS', '\u0000\u0001\u0002\u0003\u0004\u0005'],
  ['a record that is no handshake', '\u0015\u0003\u0001\u0000\u0002\u0001\u0000'],
  ['a handshake that is no ClientHello', '\u0016\u0003\u0001\u0000\u0004\u0002\u0000\u0000\u0000'],
  ['a ClientHello that breaks its lengths', '\u0016\u0003\u0001\u0000\u0005\u0001\u0000\u0000\u0001\u00ff'],
])('%s on the HTTPS port gets no answer but an end', async (_name, text) => {
  const running = await start()
  const client = await RawClient.open(running.ostiary.httpsPort ?? 0)
  client.write(text)
  await client.closed()
  expect((await ask(running, PLAIN)).status).toBe(200)
})

function days(count: number): Date {
  return new Date(Date.now() + count * 86_400_000)
}

function pairOf({ certificateChainPem, privateKeyPem }: KeyPair): ConnectionOptions {
  return { cert: certificateChainPem, key: privateKeyPem }
}

/** A session that the server gave, as soon as there is one; undefined where it gives none. */
async function sessionOf(
  { ostiary }: Running,
  host: string,
  options: ConnectionOptions,
): Promise<Buffer | undefined> {
  const socket = connect({
    port: ostiary.httpsPort,
    host: '127.0.0.1',
    servername: host,
    rejectUnauthorized: false,
    ...options,
  })
  let session: Buffer | undefined
  socket.on('session', (given: Buffer) => {
    session = given
  })
  socket.on('error', () => {})
  const client = new RawClient(socket)
  client.write(get(host))
  await client.response()
  client.close()
  return session ?? socket.getSession()
}
