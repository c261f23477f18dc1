import { parentPort, workerData } from 'node:worker_threads'
import { runProxyThread } from '../../src/proxy/proxy-thread.ts'
import type { ThreadData } from '../../src/proxy/thread-messages.ts'

// A proxy thread that an uncaught error ends when a guarded route is asked for.
if (parentPort === null) throw new TypeError('runs in a worker thread')

await runProxyThread(parentPort, workerData as ThreadData, () => ({
  authorize: () => {
    setImmediate(() => {
      throw new Error('a bug')
    })
    return new Promise(() => {})
  },
  callback: () => undefined,
  reserved: () => {
    throw new Error('no reserved path is asked for')
  },
}))
