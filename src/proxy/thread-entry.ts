import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { createBrokerClient } from '../auth/authorization-server/broker-client.ts'
import { createAuthorizer } from '../auth/create-authorizer.ts'
import { systemClock } from '../clock.ts'
import { runProxyThread } from './proxy-thread.ts'
import type { ThreadData } from './thread-messages.ts'

// What runs in each thread that `startThreadPool` starts.
if (parentPort === null) throw new TypeError('thread-entry runs in a worker thread')

await runProxyThread(
  parentPort,
  workerData as ThreadData,
  ({ brokerPort, options, caches, sessions, audit }) =>
    createAuthorizer({
      clock: systemClock,
      authorizationServers: createBrokerClient(brokerPort),
      randomBytes,
      caches,
      sessionObserver: sessions,
      audit,
      allowLoopback: options.allowLoopbackSessionStores ?? false,
    }),
)
