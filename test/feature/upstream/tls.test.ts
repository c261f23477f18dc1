import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createPrivateCa, type PrivateCa } from '../../auth/authorization-server/private-ca.ts'
import { ingress, secret, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { RawClient } from '../../support/raw-http.ts'
import { get, httpsUpstream, listening, send, serviceOn } from './support.ts'

let own: PrivateCa
let other: PrivateCa

beforeAll(async () => {
  own = await createPrivateCa({ type: 2, value: 'web.default.svc' })
  other = await createPrivateCa({ type: 2, value: 'web.default.svc' })
})

const HTTPS = { 'backend-protocol': 'HTTPS' }
const WITH_CA = { ...HTTPS, 'upstream-ca-secret': 'upstream-ca' }

function manifests(port: number, annotations: Record<string, string>, more: readonly object[] = []): string {
  return yaml(
    ...serviceOn('web', [port], annotations),
    ingress({ host: 'app.example', service: 'web' }),
    secret('upstream-ca', { 'ca.crt': own.ca, 'other.crt': other.ca }),
    ...more,
  )
}

function tlsSecret(name: string, { cert, key }: PrivateCa): object {
  const metadata = { name }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata,
    stringData: { 'tls.crt': cert, 'tls.key': key },
  }
}

/** Counts what gets as far as a request. */
async function secureUpstream(ca: PrivateCa, options: object = {}) {
  const seen: { sni: unknown; alpn: unknown; peer: unknown; host: unknown }[] = []
  const port = await httpsUpstream(
    { key: ca.key, cert: ca.cert, ...options },
    (request: IncomingMessage, response: ServerResponse) => {
      const socket = request.socket as TLSSocket & { servername?: string }
      const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined
      const { host } = request.headers
      seen.push({ sni: socket.servername, alpn: socket.alpnProtocol, peer: subject?.CN, host })
      response.end('secure')
    },
  )
  return { port, seen }
}

describe('an HTTPS upstream', () => {
  test('is verified by the CA of the Secret and the name of the Service, whatever Host the client sends', async () => {
    const { port, seen } = await secureUpstream(own)
    const ostiary = await startOstiary(manifests(port, WITH_CA))
    expect(await send(ostiary.port, get())).toMatchObject({ status: 200, body: 'secure' })
    expect(await send(ostiary.port, get({ Host: 'APP.example:80' }))).toMatchObject({ status: 200 })
    const name = { sni: 'web.default.svc', peer: undefined }
    expect(seen).toMatchObject([
      { ...name, host: 'app.example' },
      { ...name, host: 'APP.example:80' },
    ])
  })

  test.each([
    ['signed by somebody else', { ...HTTPS, 'upstream-ca-secret': 'upstream-ca/other.crt' }],
    ['signed by nobody whom the system knows', HTTPS],
    ['for another name', { ...WITH_CA, 'upstream-server-name': 'db.default.svc' }],
    ['for the name that the client asks for', { ...WITH_CA, 'upstream-server-name': 'app.example' }],
  ])('whose certificate is %s gets no request', async (_, annotations) => {
    const { port, seen } = await secureUpstream(own)
    const ostiary = await startOstiary(manifests(port, annotations))
    const response = await send(ostiary.port, get())
    expect(response.status).toBe(502)
    expect(response.body).not.toMatch(/certificate|127\.0\.0\.1/)
    expect(seen).toEqual([])
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'for another name is refused over and over: no session of a refused connection is resumed (%s)',
    async (version) => {
      const { port, seen } = await secureUpstream(own, { minVersion: version, maxVersion: version })
      const annotations = { ...WITH_CA, 'upstream-server-name': 'db.default.svc' }
      const ostiary = await startOstiary(manifests(port, annotations))
      for (let i = 0; i < 4; i += 1) expect((await send(ostiary.port, get())).status).toBe(502)
      expect(seen).toEqual([])
    },
  )

  test('is taken unverified where that is asked for, with a warning', async () => {
    const { port } = await secureUpstream(other)
    const annotations = { ...HTTPS, 'insecure-skip-upstream-tls-verify': 'true' }
    const ostiary = await startOstiary(manifests(port, annotations))
    expect(await send(ostiary.port, get())).toMatchObject({ status: 200 })
    expect(ostiary.result().diagnostics).toMatchObject([
      { severity: 'warning', reason: 'InsecureOption', object: { kind: 'Service', name: 'web' } },
    ])
  })

  test('gets a client certificate', async () => {
    const client = await createPrivateCa({ type: 2, value: 'ostiary' })
    const { port, seen } = await secureUpstream(own, { requestCert: true, ca: client.ca })
    const annotations = { ...WITH_CA, 'upstream-client-certificate-secret': 'client' }
    const ostiary = await startOstiary(manifests(port, annotations, [tlsSecret('client', client)]))
    expect(await send(ostiary.port, get())).toMatchObject({ status: 200 })
    expect(seen).toMatchObject([{ peer: 'server' }])
    expect(JSON.stringify(ostiary.result().table)).not.toContain('PRIVATE KEY')
    const without = await startOstiary(manifests(port, WITH_CA))
    expect((await send(without.port, get())).status).toBe(502)
    expect(seen).toHaveLength(1)
  })

  test.each([
    ['a CA Secret that is not there', { ...HTTPS, 'upstream-ca-secret': 'missing' }, 'SecretNotFound'],
    [
      'a CA Secret without that key',
      { ...HTTPS, 'upstream-ca-secret': 'upstream-ca/x' },
      'InvalidAnnotation',
    ],
    [
      'a client certificate that is not there',
      { ...WITH_CA, 'upstream-client-certificate-secret': 'upstream-ca' },
      'SecretNotFound',
    ],
    ['a CA without TLS', { 'upstream-ca-secret': 'upstream-ca' }, 'InvalidAnnotation'],
    ['another protocol', { 'backend-protocol': 'FCGI' }, 'InvalidAnnotation'],
    ['a typo', { 'backend-protocl': 'HTTPS' }, 'UnknownAnnotation'],
  ])('is closed by %s', async (_, annotations, reason) => {
    const { port, seen } = await secureUpstream(own)
    const ostiary = await startOstiary(manifests(port, annotations))
    expect((await send(ostiary.port, get())).status).toBe(503)
    expect(seen).toEqual([])
    expect(ostiary.result().diagnostics).toMatchObject([{ severity: 'error', reason }])
  })

  test('keeps its connections over a publish, and makes new ones where its CA changes', async () => {
    const { port, seen } = await secureUpstream(own)
    const ostiary = await startOstiary(manifests(port, WITH_CA))
    const client = await RawClient.open(ostiary.port)
    onTestFinished(() => client.close())
    client.write(get())
    expect((await client.response()).status).toBe(200)
    ostiary.apply(manifests(port, { ...WITH_CA, 'upstream-ca-secret': 'upstream-ca/other.crt' }))
    client.write(get())
    expect((await client.response()).status).toBe(502)
    expect(seen).toHaveLength(1)
    ostiary.apply(manifests(port, WITH_CA))
    client.write(get())
    expect((await client.response()).status).toBe(200)
  })

  test('gets a renewed client certificate on new connections', async () => {
    const [old, renewed] = [
      await createPrivateCa({ type: 2, value: 'a' }),
      await createPrivateCa({ type: 2, value: 'a' }),
    ]
    const { port, seen } = await secureUpstream(own, { requestCert: true, ca: [renewed.ca] })
    const annotations = { ...WITH_CA, 'upstream-client-certificate-secret': 'client' }
    const ostiary = await startOstiary(manifests(port, annotations, [tlsSecret('client', old)]))
    expect((await send(ostiary.port, get())).status).toBe(502)
    ostiary.apply(manifests(port, annotations, [tlsSecret('client', renewed)]))
    expect((await send(ostiary.port, get())).status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  test('is told apart from the same endpoint in the clear', async () => {
    const { port } = await secureUpstream(own)
    const ostiary = await startOstiary(
      yaml(
        ...serviceOn('web', [port], WITH_CA),
        ...serviceOn('plain', [port]),
        ingress({ host: 'app.example', service: 'web' }),
        ingress({ name: 'plain', host: 'plain.example', service: 'plain' }),
        secret('upstream-ca', { 'ca.crt': own.ca }),
      ),
    )
    expect((await send(ostiary.port, get())).status).toBe(200)
    expect((await send(ostiary.port, get({ Host: 'plain.example' }))).status).toBe(502)
  })

  test('takes a WebSocket', async () => {
    const upgrades: string[] = []
    const secure = createServer({ key: own.key, cert: own.cert })
    secure.on('upgrade', (request, socket) => {
      upgrades.push(String(request.headers['x-forwarded-proto']))
      const accept = createHash('sha1')
        .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      socket.on('error', () => {})
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      socket.pipe(socket)
    })
    const port = await listening(secure)
    const ostiary = await startOstiary(manifests(port, WITH_CA))
    const client = await RawClient.open(ostiary.port)
    client.write(
      get({
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version': '13',
      }),
    )
    expect((await client.response()).status).toBe(101)
    client.write('both ways')
    await client.until((text) => text === 'both ways')
    client.close()
    expect(upgrades).toEqual(['http'])
  })
})
