import { once } from 'node:events'
import type { Server } from 'node:http'
import { expect, test } from 'vitest'
import { startLoad } from '../../support/constant-load.ts'
import { ingress, service } from '../../support/manifests.ts'
import { HOST, startCalm, startUpstream } from './setup.ts'

/** Cuts all connections and is gone, as a process that is killed. */
async function kill(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

test('an upstream that is killed and restarted, while another endpoint lives, fails no request that may be sent twice', async () => {
  const [steady, killed] = [await startUpstream('steady'), await startUpstream('killed')]
  const slice = service('steady', killed.port)[1] as { metadata: object }
  const objects = [
    ...service('steady', steady.port),
    { ...slice, metadata: { ...slice.metadata, name: 'steady-2' } },
    ingress({
      name: 'steady',
      host: HOST,
      service: 'steady',
      // What has been sent when the upstream dies may be sent again; a refused connection is another's turn anyway.
      annotations: { 'ostiary.dev/retries': '2', 'ostiary.dev/retry-on': 'connect-failure,reset' },
    }),
  ]
  const { ostiary, sockets } = await startCalm((to, fixed) => to.apply(...fixed, ...objects))
  const load = startLoad({ origin: ostiary.origin, host: HOST, posts: false })
  for (let turn = 0; turn < 5; turn += 1) await load.turn()
  let { server } = killed
  for (let round = 0; round < 10; round += 1) {
    await kill(server)
    await load.turn()
    server = (await startUpstream('killed', killed.port)).server
    await load.turn()
  }
  const { failures, bodies } = await load.stop()
  expect(failures).toEqual([])
  expect([...bodies.keys()].sort()).toEqual(['killed', 'steady'])
  await sockets.expectAlive()
})
