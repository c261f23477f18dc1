import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createPrivateCa, type PrivateCa } from '../../auth/authorization-server/private-ca.ts'
import { ingress, secret, yaml } from '../../support/manifests.ts'
import { startOstiary } from '../../support/ostiary.ts'
import { RawClient } from '../../support/raw-http.ts'
import { get, http2Upstream, httpsUpstream, send, serviceOn } from './support.ts'

const MIB = 1024 * 1024
const TOTAL = 24 * MIB

let own: PrivateCa

beforeAll(async () => {
  own = await createPrivateCa({ type: 2, value: 'web.default.svc' })
})

type Answer = (path: string, request: Readable, response: Writable) => void

/** The same upstream in two protocols. */
async function upstreamOf(protocol: string, answer: Answer): Promise<number> {
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    answer(request.url ?? '', request, response)
  if (protocol === 'HTTPS') return httpsUpstream({ key: own.key, cert: own.cert }, listener)
  const { port } = await http2Upstream((stream, headers) => {
    stream.respond({ ':status': 200 })
    answer(headers[':path'] ?? '', stream, stream)
  })
  return port
}

async function start(protocol: string, answer: Answer) {
  const annotations: Record<string, string> = {
    'backend-protocol': protocol,
    ...(protocol === 'HTTPS' && { 'upstream-ca-secret': 'ca' }),
  }
  const port = await upstreamOf(protocol, answer)
  return startOstiary(
    yaml(
      ...serviceOn('web', [port], annotations),
      ingress({ host: 'app.example', service: 'web' }),
      secret('ca', { 'ca.crt': own.ca }),
    ),
  )
}

async function open(port: number, request: string): Promise<RawClient> {
  const client = await RawClient.open(port)
  onTestFinished(() => client.close())
  client.write(request)
  return client
}

/** Time, as the proxy counts it: were nobody held back, all would have gone through by then. */
async function aWhile(port: number): Promise<void> {
  for (let i = 0; i < 25; i += 1) await send(port, 'GET /small HTTP/1.1\r\nHost: app.example\r\n\r\n')
}

function fill(to: Writable, onWritten: (bytes: number) => void, end: () => void): void {
  let written = 0
  const more = (): void => {
    while (written < TOTAL) {
      written += MIB
      onWritten(written)
      if (!to.write(Buffer.alloc(MIB, 'x'))) {
        to.once('drain', more)
        return
      }
    }
    end()
  }
  more()
}

// HTTP/1.1 in the clear: test/proxy/streaming.test.ts.
describe.each(['HTTPS', 'H2C'])('over %s', (protocol) => {
  test('an event reaches the client before the next one is sent', async () => {
    const stream: Writable[] = []
    const ostiary = await start(protocol, (_, request, response) => {
      request.resume()
      response.write('data: one\n\n')
      stream.push(response)
    })
    const client = await open(ostiary.port, get({ Accept: 'text/event-stream' }))
    await client.until((text) => text.includes('data: one\n\n'))
    stream[0]?.write('data: two\n\n')
    await client.until((text) => text.includes('data: two\n\n'))
    stream[0]?.end()
    await client.until((text) => text.endsWith('0\r\n\r\n'))
  })

  test('a client that does not read holds the upstream back, and then gets every byte', async () => {
    let written = 0
    const ostiary = await start(protocol, (path, request, response) => {
      request.resume()
      if (path === '/small') response.end('small')
      else
        fill(
          response,
          (bytes) => (written = bytes),
          () => response.end(),
        )
    })
    const client = await open(ostiary.port, get({ Connection: 'close' }))
    await client.until((text) => text.includes('\r\n\r\n'))
    client.socket.pause()
    await aWhile(ostiary.port)
    expect(written).toBeLessThan(TOTAL / 2)
    let received = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', (chunk: string) => (received += chunk.split('x').length - 1))
    received += client.pending.split('\r\n\r\n').slice(1).join().split('x').length - 1
    client.socket.resume()
    await client.closed()
    expect(received).toBe(TOTAL)
  })

  test('an upstream that does not read holds the client back, and then gets every byte', async () => {
    let read: (() => void) | undefined
    const ostiary = await start(protocol, (path, request, response) => {
      if (path === '/small') {
        request.resume()
        response.end('small')
        return
      }
      const hash = createHash('sha256')
      let length = 0
      read = () => {
        request.on('data', (chunk: Buffer) => {
          length += chunk.length
          hash.update(chunk)
        })
        request.on('end', () => response.end(`${length} ${hash.digest('hex')}`))
      }
    })
    const client = await open(
      ostiary.port,
      `POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${TOTAL}\r\n\r\n`,
    )
    let sent = 0
    fill(
      client.socket,
      (bytes) => (sent = bytes),
      () => {},
    )
    await aWhile(ostiary.port)
    expect(sent).toBeLessThan(TOTAL / 2)
    read?.()
    const digest = createHash('sha256').update(Buffer.alloc(TOTAL, 'x')).digest('hex')
    expect((await client.response()).body).toBe(`${TOTAL} ${digest}`)
  })

  test('a client that closes its half is gone, and so is its request', async () => {
    let came: () => void = () => {}
    const hasCome = new Promise<void>((resolve) => {
      came = resolve
    })
    let gone: Promise<void> | undefined
    const ostiary = await start(protocol, (_, request, response) => {
      gone = new Promise((resolve) => {
        response.once('close', resolve)
      })
      request.resume()
      came()
    })
    const client = await open(ostiary.port, get())
    await hasCome
    client.socket.end()
    await gone
    await client.closed()
  })

  test('a body is asked for where the client waits, and not before the upstream has a connection', async () => {
    const ostiary = await start(protocol, (_, request, response) => {
      request.resume().on('end', () => response.end('got it'))
    })
    const client = await open(
      ostiary.port,
      'POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
    )
    expect((await client.response()).status).toBe(100)
    client.write('body')
    expect((await client.response()).body).toBe('got it')
  })
})
