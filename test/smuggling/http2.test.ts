import { expect, test } from 'vitest'
import { httpsProxy } from '../proxy/http2/support.ts'
import { everythingOn } from '../proxy/support.ts'
import { FLAG, FRAME, RawHttp2Client, type Field, type StreamEnd } from '../support/raw-http2.ts'
import { HTTP2_CASES, type Http2Case } from './http2-corpus.ts'
import { recordingUpstream, type RecordedRequest } from './recording-upstream.ts'

const VICTIM: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/victim'],
  [':authority', 'example.com'],
]

interface Outcome {
  readonly end: StreamEnd
  readonly requests: readonly RecordedRequest[]
}

/** Sends what a case sends, and then, on the same connection and on another, what somebody else asks. */
async function run({ fields, body, trailers, endsConnection = false }: Http2Case): Promise<Outcome> {
  const upstream = await recordingUpstream()
  const { https } = await httpsProxy(everythingOn(upstream.port))
  const client = await RawHttp2Client.open(https)
  const isWhole = body === undefined
  client.headers(1, fields, isWhole ? FLAG.endStream | FLAG.endHeaders : FLAG.endHeaders)
  if (!isWhole) client.frame(FRAME.data, trailers === undefined ? FLAG.endStream : 0, 1, body)
  if (trailers !== undefined) client.headers(1, trailers)
  const end = await client.end(1)
  if (endsConnection) await client.closed()
  const requests = [...upstream.requests]
  if (!endsConnection) {
    client.headers(3, VICTIM)
    expect(await client.end(3)).toEqual({ status: 200 })
  }
  const other = await RawHttp2Client.open(https)
  other.headers(1, VICTIM)
  expect(await other.end(1)).toEqual({ status: 200 })
  const victims = upstream.requests.slice(requests.length).map(({ line }) => line)
  expect(victims).toEqual(Array(endsConnection ? 1 : 2).fill('GET /victim HTTP/1.1'))
  expect(upstream.faults).toEqual([])
  return { end, requests }
}

function isRefusal({ status, reset, goaway }: StreamEnd): boolean {
  if (goaway !== undefined) return goaway > 0
  return status === undefined ? reset === 1 : [400, 405, 501].includes(status)
}

function namesOf(request: RecordedRequest | undefined): readonly string[] {
  return request?.fields.map(([name]) => name) ?? []
}

test.each(HTTP2_CASES)('$name', async (each) => {
  const { end, requests } = await run(each)
  const { verdict } = each
  for (const { fields } of requests) {
    expect(fields.filter(([name, value]) => name.startsWith(':') || value.includes('smuggled'))).toEqual([])
  }
  if ('forwarded' in verdict) {
    expect(requests.map(({ line, body }) => ({ line, body }))).toEqual(
      verdict.forwarded.map(({ line, body = '' }) => ({ line, body })),
    )
    for (const name of verdict.forwarded[0]?.without ?? []) expect(namesOf(requests[0])).not.toContain(name)
  } else if ('atMost' in verdict) {
    const sent = requests.map(({ line, body }) => ({ line, body }))
    expect([[], [verdict.atMost]]).toContainEqual(sent)
  } else if ('dropped' in verdict) {
    expect(requests.map(({ line, body }) => [line, body])).toEqual([['GET /case HTTP/1.1', '']])
    for (const name of verdict.dropped) expect(namesOf(requests[0])).not.toContain(name)
  } else {
    expect([requests, end, isRefusal(end)]).toEqual([[], end, true])
  }
})
