import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ProxyServer } from '../../src/proxy/proxy-server.ts'
import { mutated } from '../fuzz/mutation.ts'
import { everythingOn, proxy } from '../proxy/support.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { REQUEST_CASES } from './corpus.ts'
import { recordingUpstream } from './recording-upstream.ts'

const SEEDS = REQUEST_CASES.map(({ send }) => Buffer.from(send, 'latin1'))
const VICTIM = 'GET /victim HTTP/1.1\r\nHost: example.com\r\n\r\n'

/** How many final responses there are, read as a client does that counts on their lengths. */
function countResponses(received: string): number {
  let count = 0
  for (let rest = received; rest !== '';) {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n(?:[^\r]*\r\n)*?\r\n/.exec(rest)
    if (head === null) throw new Error(`no response begins here: ${JSON.stringify(rest.slice(0, 80))}`)
    if (Number(head[1]) >= 200) count += 1
    const length = /\r\ncontent-length: *(\d+)/i.exec(head[0])?.[1]
    rest = rest.slice(head[0].length + (Number(head[1]) >= 200 ? Number(length ?? 0) : 0))
  }
  return count
}

function inFlight(server: ProxyServer): number | undefined {
  const found = server.metrics().find(({ name }) => name === 'ostiary_http_requests_in_flight')
  return found?.values[0]?.value
}

test('whatever is sent, no request reaches the upstream that two parsers could read differently', async () => {
  const upstream = await recordingUpstream()
  const { port, server } = await proxy(everythingOn(upstream.port), {
    limits: { bodyTimeoutMs: 20, headerTimeoutMs: 2000 },
  })
  await fc.assert(
    fc.asyncProperty(mutated(SEEDS), async (bytes) => {
      const before = upstream.requests.length
      const client = await RawClient.open(port)
      client.write(bytes)
      // What has a whole head is answered, at the latest when the time of its body is over.
      if (/\S\r\n\r\n/.test(bytes.toString('latin1')))
        await client.until((text) => text !== '').catch(() => {})
      client.socket.end()
      const received = await client.closed()
      const came = upstream.requests.slice(before)
      expect(upstream.faults).toEqual([])
      // A client that leaves may miss answers, but no request is answered twice, and none but by the upstream or us.
      if (came.every(({ line }) => !line.startsWith('HEAD '))) countResponses(received)
      const { body } = await rawRequest(port, VICTIM)
      expect(body).toBe('/victim')
    }),
    { numRuns: 300 },
  )
  // None is counted for ever, or the thread would refuse everything in the end.
  await expect.poll(() => inFlight(server)).toBe(0)
})
