import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { mutated } from '../fuzz/mutation.ts'
import { everythingOn, proxy } from '../proxy/support.ts'
import { RawClient, rawRequest } from '../support/raw-http.ts'
import { recordingUpstream } from './recording-upstream.ts'
import { RESPONSE_CASES } from './response-corpus.ts'

const SEEDS = RESPONSE_CASES.map(({ answer }) => Buffer.from(answer, 'latin1'))
const HOST = 'Host: example.com\r\n'
const VICTIM = `GET /victim HTTP/1.1\r\n${HOST}\r\n`
/** Time for the next request to take the connection of an answer that was odd. */
const OPEN_MS = 5

test('whatever an upstream answers, nobody is given what was not for them', async () => {
  let answer = Buffer.alloc(0)
  const upstream = await recordingUpstream((socket, { line }) => {
    const target = line.split(' ')[1] ?? ''
    if (target !== '/case') {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`)
      return
    }
    socket.write(answer)
    setTimeout(() => socket.end(), OPEN_MS)
  })
  const { port } = await proxy(everythingOn(upstream.port))
  await fc.assert(
    fc.asyncProperty(mutated(SEEDS), async (bytes) => {
      answer = Buffer.from(bytes)
      const client = await RawClient.open(port)
      client.write(`GET /case HTTP/1.1\r\n${HOST}\r\n${VICTIM}`)
      // The client's next request, in the same piece, is answered behind the odd answer, or its connection is over.
      await client.until((text) => text.endsWith('/victim')).catch(() => {})
      client.close()
      for (let asked = 0; asked < 2; asked += 1) {
        const { body, status } = await rawRequest(port, VICTIM)
        expect([status, body]).toEqual([200, '/victim'])
      }
      expect(upstream.faults).toEqual([])
    }),
    { numRuns: 100 },
  )
})
