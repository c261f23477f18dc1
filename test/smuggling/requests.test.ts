import { describe, expect, test } from 'vitest'
import { everythingOn, proxy } from '../proxy/support.ts'
import { RawClient, rawRequest, type RawResponse } from '../support/raw-http.ts'
import { REQUEST_CASES, type SmugglingCase, type Verdict } from './corpus.ts'
import { recordingUpstream, type RecordedRequest } from './recording-upstream.ts'

const VICTIM = 'GET /victim HTTP/1.1\r\nHost: example.com\r\n\r\n'

interface Outcome {
  readonly responses: readonly RawResponse[]
  /** What came behind them. */
  readonly rest: string
  readonly requests: readonly RecordedRequest[]
  readonly begun: number
}

/** Sends what a case sends, and then, on another connection, what somebody else asks. */
async function run({ send, verdict }: SmugglingCase): Promise<Outcome> {
  const upstream = await recordingUpstream()
  const { port } = await proxy(everythingOn(upstream.port))
  const client = await RawClient.open(port)
  client.write(send)
  const responses: RawResponse[] = []
  const expected = 'forwarded' in verdict ? verdict.forwarded.length : 1
  while (responses.length < expected) responses.push(await client.response())
  client.socket.end()
  const rest = await client.closed()
  const requests = [...upstream.requests]
  const { begun } = upstream
  const victim = await rawRequest(port, VICTIM)
  expect([victim.status, victim.body]).toEqual([200, '/victim'])
  expect(upstream.requests.slice(requests.length).map(({ line }) => line)).toEqual(['GET /victim HTTP/1.1'])
  expect(upstream.faults).toEqual([])
  return { responses, rest, requests, begun }
}

function expectVerdict({ responses, rest, requests, begun }: Outcome, verdict: Verdict): void {
  expect(rest).toBe('')
  if ('forwarded' in verdict) {
    expect(responses.map(({ status }) => status)).toEqual(verdict.forwarded.map(() => 200))
    expect(requests).toHaveLength(verdict.forwarded.length)
    for (const [index, { body = '', line, without = [] }] of verdict.forwarded.entries()) {
      const { fields, ...request } = requests[index]!
      expect(request).toEqual({ line, body })
      const names = fields.map(([name]) => name)
      for (const name of without) expect(names).not.toContain(name)
    }
    return
  }
  expect(requests).toEqual([])
  if ('refused' in verdict) {
    expect(begun).toBe(0)
    expect(responses.map(({ status }) => status)).toEqual([verdict.refused])
  } else {
    expect(responses.map(({ status }) => status)).toEqual([verdict.brokenOff])
    expect(responses[0]?.headers['connection']).toBe('close')
  }
}

describe.each([...Map.groupBy(REQUEST_CASES, ({ group }) => group)])('%s:', (_, ofGroup) => {
  test.each(ofGroup)('$name', async (each) => {
    expectVerdict(await run(each), each.verdict)
  })
})

// node:http drops the rest of a piece behind an upgrade that is not taken up, so that the next piece, which a stranger may
// have filled, would be read as the beginning of a request.
test.each([
  [
    'without a body',
    'GET /case HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  ],
  [
    'with one',
    'POST /case HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc',
  ],
])('behind an upgrade that is not taken up, %s, no request begins', async (_, upgrade) => {
  const upstream = await recordingUpstream()
  const { port } = await proxy(everythingOn(upstream.port))
  const client = await RawClient.open(port)
  client.write(
    `${upgrade}POST /lost HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${VICTIM.length}\r\n\r\n`,
  )
  const response = await client.response()
  expect([response.status, response.headers['connection']]).toEqual([200, 'close'])
  client.write(VICTIM)
  expect(await client.closed()).toBe('')
  expect(upstream.requests).toHaveLength(1)
})

// What is refused for another reason must not keep its connection either.
describe.each([
  ['a target that is too long', { maxUrlBytes: 3 }, true],
  ['a request that is one too many', { maxRequests: 1 }, true],
  ['a request before the first snapshot', {}, false],
])('behind %s, no request begins', (_, limits, isPublished) => {
  test.each([
    ['where its coding is another', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['where its upgrade is not taken up', 'Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
  ])('%s', async (__, rest) => {
    const upstream = await recordingUpstream(() => {})
    const { port } = await proxy(isPublished ? everythingOn(upstream.port) : undefined, { limits })
    const busy = await RawClient.open(port)
    if ('maxRequests' in limits) {
      busy.write('GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n')
      await expect.poll(() => upstream.begun).toBe(1)
    }
    const client = await RawClient.open(port)
    client.write(`GET /case HTTP/1.1\r\nHost: example.com\r\n${rest}`)
    const { status, headers } = await client.response()
    expect(status).toBeGreaterThan(400)
    expect(headers['connection']).toBe('close')
    client.write(VICTIM)
    expect(await client.closed()).toBe('')
    busy.close()
  })
})

describe('what comes as the body of a request that is refused is no request:', () => {
  const inside = 'GET /smuggled HTTP/1.1\r\nHost: example.com\r\n\r\n'
  const unknown = 'POST /case HTTP/1.1\r\nHost: unknown.example\r\n'
  const chunk = `${inside.length.toString(16)}\r\n${inside}\r\n0\r\n\r\n`

  test.each([
    ['with a length', `Content-Length: ${inside.length}\r\n\r\n${inside}`],
    ['in chunks', `Transfer-Encoding: chunked\r\n\r\n${chunk}`],
    [
      'sent without waiting for 100',
      `Expect: 100-continue\r\nContent-Length: ${inside.length}\r\n\r\n${inside}`,
    ],
    [
      'behind an upgrade',
      `Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${inside.length}\r\n\r\n${inside}`,
    ],
  ])('%s', async (_, rest) => {
    const upstream = await recordingUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    client.write(unknown + rest + VICTIM)
    expect((await client.response()).status).toBe(404)
    // The client's own next request is answered, or its connection is over.
    await client.until((text) => text.includes('/victim')).catch(() => {})
    client.socket.end()
    await client.closed()
    const lines = upstream.requests.map(({ line }) => line)
    expect(lines.filter((line) => line !== 'GET /victim HTTP/1.1')).toEqual([])
    expect(upstream.faults).toEqual([])
  })

  test('nor what comes behind one whose expectation is unknown', async () => {
    const upstream = await recordingUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: h2c\r\n'
    client.write(`GET /case HTTP/1.1\r\nHost: example.com\r\nExpect: wonders\r\n${upgrade}\r\n`)
    const { status, headers } = await client.response()
    expect([status, headers['connection']]).toEqual([417, 'close'])
  })

  test('not even where an expectation is unknown', async () => {
    const upstream = await recordingUpstream()
    const { port } = await proxy(everythingOn(upstream.port))
    const client = await RawClient.open(port)
    const length = `Content-Length: ${inside.length}\r\n`
    client.write(`POST /case HTTP/1.1\r\nHost: example.com\r\nExpect: wonders\r\n${length}\r\n${inside}`)
    expect((await client.response()).status).toBe(417)
    client.socket.end()
    expect(await client.closed()).toBe('')
    expect(upstream.begun).toBe(0)
  })
})
