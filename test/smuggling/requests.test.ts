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
