import { expect, test } from 'vitest'
import { startLoad } from '../../support/constant-load.ts'
import { ingress, service } from '../../support/manifests.ts'
import { HOST, startCalm, startUpstream } from './setup.ts'

test('1,000 changes of routes drop no request of routes that stay, nor a WebSocket', async () => {
  const [one, other] = [await startUpstream('one'), await startUpstream('other')]
  const changing = (round: number): object[] => [
    // The steady route's own backend changes, other routes of its host come and go, and so do whole hosts.
    ingress({ name: 'steady', host: HOST, service: round % 2 === 0 ? 'one' : 'other' }),
    ...(round % 3 === 0
      ? [ingress({ name: 'more', host: HOST, path: `/more/${round}`, service: 'one' })]
      : []),
    ingress({ name: `host-${round % 7}`, host: `h${round % 7}.example.com`, service: 'other' }),
  ]
  const services = [...service('one', one.port), ...service('other', other.port)]
  const { ostiary, sockets, unchanged } = await startCalm((to, fixed) =>
    to.apply(...fixed, ...services, ...changing(0)),
  )
  const load = startLoad({ origin: ostiary.origin, host: HOST })
  for (let round = 1; round <= 1000; round += 1) {
    const live = ostiary.apply(...unchanged, ...services, ...changing(round))
    if (round % 7 === 0) await live
  }
  const { failures, bodies, requests } = await load.stop()
  expect(failures).toEqual([])
  expect(requests).toBeGreaterThan(100)
  expect([...bodies.keys()].sort()).toEqual(['one', 'other'])
  await sockets.expectAlive()
})
