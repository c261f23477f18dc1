import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { everythingOn, proxy, tcpUpstream } from '../proxy/support.ts'
import { RawClient, rawRequest, type RawResponse } from '../support/raw-http.ts'
import { recordingUpstream, type RecordingUpstream } from './recording-upstream.ts'
import { EVIL, RESPONSE_CASES } from './response-corpus.ts'

const HOST = 'Host: example.com\r\n'
const VICTIM = `GET /victim HTTP/1.1\r\n${HOST}\r\n`

/** Answers `/case` as told, and every other target with itself. Also gives the connections that `/case` came by. */
async function upstreamWith(
  answer: (socket: Socket) => void,
): Promise<RecordingUpstream & { sockets: Socket[] }> {
  const sockets: Socket[] = []
  const recording = await recordingUpstream((socket, { line }) => {
    const target = line.split(' ')[1] ?? ''
    if (target !== '/case') {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`)
      return
    }
    sockets.push(socket)
    answer(socket)
  })
  return Object.assign(recording, { sockets })
}

/** Others, on new connections, get what they asked for. */
async function expectNobodyPoisoned(port: number): Promise<void> {
  for (let asked = 0; asked < 3; asked += 1) {
    const { body, status } = await rawRequest(port, VICTIM)
    expect([status, body]).toEqual([200, '/victim'])
  }
}

/** A response says in one way where it ends. */
function expectOneFraming({ head }: RawResponse): void {
  const names = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  const framing = names.filter((name) => name === 'content-length' || name === 'transfer-encoding')
  expect(framing.length).toBeLessThanOrEqual(1)
  expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
}

/** What the client was answered; `'cut'`: its connection ended before the answer did. */
async function answered(client: RawClient, method: string): Promise<RawResponse | 'cut'> {
  for (;;) {
    try {
      const response = await client.response({ withoutBody: method === 'HEAD' })
      if (response.status >= 200) return response
    } catch {
      return 'cut'
    }
  }
}

describe('an upstream that answers with', () => {
  test.each(RESPONSE_CASES)('$name', async ({ answer, method = 'GET', verdict }) => {
    const upstream = await upstreamWith((socket) => void socket.write(answer, 'latin1'))
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    client.write(`${method} /case HTTP/1.1\r\n${HOST}\r\n`)
    const response = await answered(client, method)
    if (response === 'cut' || verdict === 'cut') expect(response).toBe(verdict)
    else {
      expectOneFraming(response)
      expect(response.status).toBe(verdict.status)
      if (verdict.status < 500) expect(response.body).toBe(verdict.body)
      // The client's own next request on the same connection.
      client.write(VICTIM)
      expect((await client.response()).body).toBe('/victim')
      client.socket.end()
      expect(await client.closed()).toBe('')
    }
    await expectNobodyPoisoned(port)
    expect(upstream.faults).toEqual([])
  })
})

test('a second answer that comes late ends its connection, before another request takes it', async () => {
  const upstream = await upstreamWith((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')
  })
  const { port } = await proxy(everythingOn(upstream.port))
  const { body } = await rawRequest(port, `GET /case HTTP/1.1\r\n${HOST}\r\n`)
  expect(body).toBe('good')
  const [socket] = upstream.sockets
  const closed = once(socket!, 'close')
  socket!.write(EVIL)
  await closed
  await expectNobodyPoisoned(port)
})

test('answers that come before the request is whole poison nobody', async () => {
  const { port: upstreamPort } = await tcpUpstream((socket) => {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      if (chunk.startsWith('POST /case'))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood${EVIL}`)
      else if (chunk.startsWith('GET /victim'))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n/victim`)
    })
  })
  const { port } = await proxy(everythingOn(upstreamPort))
  const client = await RawClient.open(port)
  client.write(`POST /case HTTP/1.1\r\n${HOST}Content-Length: ${EVIL.length}\r\n\r\n${EVIL.slice(0, 9)}`)
  expect((await client.response()).body).toBe('good')
  // The rest of the body, which goes nowhere now, and the client's next request.
  client.write(EVIL.slice(9) + VICTIM)
  expect((await client.response()).body).toBe('/victim')
  client.socket.end()
  expect(await client.closed()).toBe('')
  await expectNobodyPoisoned(port)
})

test.each(['HTTP/1.1 200 OK', 'HTTP/1.1 426 Upgrade Required', 'HTTP/1.1 401 Unauthorized'])(
  'a WebSocket that is answered %s is none: what the client sends behind it reaches nobody',
  async (line) => {
    const upstream = await upstreamWith(
      (socket) => void socket.write(`${line}\r\nContent-Length: 4\r\n\r\ngood`),
    )
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    client.write(
      `GET /case HTTP/1.1\r\n${HOST}${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n${VICTIM}`,
    )
    expect((await client.response()).status).toBe(Number(line.slice(9, 12)))
    client.write(VICTIM)
    expect(await client.closed()).toBe('')
    expect(upstream.requests.map((each) => each.line)).toEqual(['GET /case HTTP/1.1'])
    await expectNobodyPoisoned(port)
    expect(upstream.faults).toEqual([])
  },
)
