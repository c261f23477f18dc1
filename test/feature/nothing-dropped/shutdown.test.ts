import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startLoad } from '../../support/constant-load.ts'
import { ingress, service, yaml } from '../../support/manifests.ts'
import { startOstiaryProcess } from '../../support/ostiary-file-process.ts'
import { startWebSocketUpstream } from '../../support/web-socket.ts'
import { IdleWebSockets } from './idle-web-sockets.ts'
import { HOST, SOCKETS_HOST, startUpstream } from './setup.ts'

// Two processes take a while to start on a busy machine.
const OPTIONS = { timeout: 60_000 }

test(
  'SIGTERM of one of two processes drops no request, and no WebSocket before the end of its drain',
  OPTIONS,
  async () => {
    const [{ port }, { port: socketsPort }] = [await startUpstream('steady'), await startWebSocketUpstream()]
    const directory = await mkdtemp(path.join(os.tmpdir(), 'ostiary-shutdown-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const objects = [
      ...service('steady', port),
      ...service('sockets', socketsPort),
      ingress({ name: 'steady', host: HOST, service: 'steady' }),
      ingress({ name: 'sockets', host: SOCKETS_HOST, service: 'sockets' }),
    ]
    await writeFile(path.join(directory, 'all.yaml'), yaml(...objects))
    const flags = ['--shutdown-delay', '1s', '--drain-timeout', '6s']
    const [staying, leaving] = await Promise.all([
      startOstiaryProcess(directory, ...flags),
      startOstiaryProcess(directory, ...flags),
    ])
    // New connections go to both in turn, as a Service sends them, until the probe has told that one leaves.
    let isLeavingReady = true
    let turn = 0
    const load = startLoad({
      origin: () => `http://127.0.0.1:${isLeavingReady && ++turn % 2 === 0 ? leaving.port : staying.port}`,
      host: HOST,
    })
    const sockets = await IdleWebSockets.open(leaving.port, SOCKETS_HOST)
    await load.turn()

    leaving.terminate()
    while (await leaving.isReady()) await load.turn()
    // New connections still come for a while, and are served.
    await load.turn()
    await load.turn()
    expect(isLeavingReady).toBe(true)
    isLeavingReady = false
    // Every client that keeps its connection to the one that leaves is told to let it go.
    const refused = async (): Promise<boolean> => {
      try {
        await fetch(`http://127.0.0.1:${leaving.port}/`, { headers: { connection: 'close' } })
        return false
      } catch {
        return true
      }
    }
    while (!(await refused())) await load.turn()
    await load.turn()
    await sockets.expectAlive()
    // Nothing but the WebSockets is left there, and they are what it waits for.
    expect(await leaving.exited).toBe(0)
    expect(sockets.open).toBe(0)
    await load.turn()
    const { failures, bodies } = await load.stop()
    expect(failures).toEqual([])
    expect([...bodies.keys()]).toEqual(['steady'])
  },
)
