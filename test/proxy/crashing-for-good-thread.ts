import { workerData } from 'node:worker_threads'
import type { ThreadData } from '../../src/proxy/thread-messages.ts'

// A proxy thread that is ended by a guarded route, and by its start once there is a snapshot.
if ((workerData as ThreadData).publication !== undefined) throw new Error('a bug that stays')
await import('./crashing-thread.ts')
