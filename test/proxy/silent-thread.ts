import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadData } from '../../src/proxy/thread-messages.ts'

// A proxy thread that is ended by a guarded route, and hangs when it is started anew.
if (parentPort === null) throw new TypeError('runs in a worker thread')
if ((workerData as ThreadData).publication === undefined) await import('./crashing-thread.ts')
else parentPort.on('message', () => {})
