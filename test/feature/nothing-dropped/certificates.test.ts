import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { expect, test } from 'vitest'
import { startLoad } from '../../support/constant-load.ts'
import { ingress, service } from '../../support/manifests.ts'
import { RawClient } from '../../support/raw-http.ts'
import { HOST, startCalm, startUpstream } from './setup.ts'

async function tlsSecret(): Promise<{ object: object; fingerprint: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: HOST }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] }],
  })
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'steady-tls' },
    stringData: { 'tls.crt': cert, 'tls.key': key },
  }
  return { object, fingerprint: new X509Certificate(cert).fingerprint256 }
}

test('certificates that rotate drop no connection, request or WebSocket, and new connections get the new one', async () => {
  const { port } = await startUpstream('steady')
  const plain = ingress({ name: 'steady', host: HOST, service: 'steady' }) as { spec: object }
  const tls = [{ hosts: [HOST], secretName: 'steady-tls' }]
  // Whether http is redirected is another matter.
  const metadata = { name: 'steady', annotations: { 'ostiary.dev/ssl-redirect': 'false' } }
  const route = { ...plain, metadata, spec: { ...plain.spec, tls } }
  const all = [...service('steady', port), route]
  const first = await tlsSecret()
  const { ostiary, sockets, unchanged } = await startCalm(
    (to, fixed) => to.apply(...fixed, ...all, first.object),
    { https: { port: 0, host: '127.0.0.1' } },
  )
  const connect = (): Promise<RawClient> => RawClient.openTls({ port: ostiary.httpsPort, servername: HOST })
  const shown = (client: RawClient): string =>
    (client.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? ''
  const kept = await connect()
  const load = startLoad({
    origin: () => `https://127.0.0.1:${ostiary.httpsPort}`,
    host: HOST,
    connect: { rejectUnauthorized: false, servername: HOST },
  })
  for (let round = 0; round < 10; round += 1) {
    const next = await tlsSecret()
    await ostiary.apply(...unchanged, ...all, next.object)
    await load.turn()
    const client = await connect()
    expect(shown(client)).toBe(next.fingerprint)
    client.close()
  }
  const { failures } = await load.stop()
  expect(failures).toEqual([])
  kept.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  expect(await kept.response()).toMatchObject({ status: 200, body: 'steady' })
  expect(shown(kept)).toBe(first.fingerprint)
  kept.close()
  await sockets.expectAlive()
})
