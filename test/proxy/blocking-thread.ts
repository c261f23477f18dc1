import {
  BroadcastChannel,
  parentPort,
  receiveMessageOnPort,
  workerData,
  type MessagePort,
} from 'node:worker_threads'
import { runProxyThread } from '../../src/proxy/proxy-thread.ts'
import type { ThreadData } from '../../src/proxy/thread-messages.ts'

// A proxy thread whose event loop a guarded route stops, until something is posted on the channel `unblock`.
if (parentPort === null) throw new TypeError('runs in a worker thread')

await runProxyThread(parentPort, workerData as ThreadData, () => ({
  authorize: () => {
    const channel = new BroadcastChannel('unblock')
    // Node takes either; its types know of one.
    const port = channel as unknown as MessagePort
    const cell = new Int32Array(new SharedArrayBuffer(4))
    while (receiveMessageOnPort(port) === undefined) Atomics.wait(cell, 0, 0, 10)
    channel.close()
    return new Promise(() => {})
  },
  callback: () => undefined,
  reserved: () => {
    throw new Error('no reserved path is asked for')
  },
}))
