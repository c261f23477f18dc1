import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startLoad } from '../../support/constant-load.ts'
import { ingress, service } from '../../support/manifests.ts'
import { HOST, startCalm, startUpstream } from './setup.ts'

/** A Service with several endpoints. */
function behind(ports: readonly number[]): object[] {
  const [first, slice] = service('steady', 0) as [object, { metadata: object }]
  return [
    first,
    ...ports.map((port, index) => ({
      ...slice,
      metadata: { ...slice.metadata, name: `steady-${index}` },
      ports: [{ name: 'http', port }],
    })),
  ]
}

test('endpoints that come and go 20 times a second drop no request, nor a WebSocket', async () => {
  const upstreams = [await startUpstream('a'), await startUpstream('b'), await startUpstream('c')]
  const route = ingress({ name: 'steady', host: HOST, service: 'steady' })
  // One after another leaves and comes back, with all kinds of neighbours.
  const portsIn = (round: number): number[] =>
    upstreams.filter((_, index) => ((round % 7) + 1) & (1 << index)).map(({ port }) => port)
  const { ostiary, sockets, unchanged } = await startCalm((to, fixed) =>
    to.apply(...fixed, route, ...behind(portsIn(0))),
  )
  const load = startLoad({ origin: ostiary.origin, host: HOST })
  for (let round = 1; round <= 50; round += 1) {
    // The rate is the subject of this test.
    await Promise.all([sleep(50), ostiary.apply(...unchanged, route, ...behind(portsIn(round)))])
  }
  const { failures, bodies } = await load.stop()
  expect(failures).toEqual([])
  expect([...bodies.keys()].sort()).toEqual(['a', 'b', 'c'])
  await sockets.expectAlive()
})

test('an upstream that is rolled over leaves the endpoints before it ends, and drops no request', async () => {
  const route = ingress({ name: 'steady', host: HOST, service: 'steady' })
  let [old, other] = [await startUpstream('0'), await startUpstream('1')]
  const { ostiary, sockets, unchanged } = await startCalm((to, fixed) =>
    to.apply(...fixed, route, ...behind([old.port, other.port])),
  )
  const load = startLoad({ origin: ostiary.origin, host: HOST })
  for (let round = 2; round < 22; round += 1) {
    const next = await startUpstream(String(round))
    await ostiary.apply(...unchanged, route, ...behind([other.port, next.port]))
    await load.turn()
    // Ends what is idle and answers what it has, as a server does that was sent SIGTERM.
    const gone = new Promise((resolve) => old.server.close(resolve))
    await gone
    ;[old, other] = [other, next]
  }
  const { failures, bodies } = await load.stop()
  expect(failures).toEqual([])
  expect(bodies.size).toBeGreaterThan(10)
  await sockets.expectAlive()
})
