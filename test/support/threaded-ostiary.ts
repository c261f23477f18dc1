import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { parseObject } from '../../src/api/parse-object.ts'
import type { KubernetesObject } from '../../src/api/resources.ts'
import { serveBroker } from '../../src/auth/authorization-server/broker.ts'
import { createAuthorizationServerClient } from '../../src/auth/authorization-server/create-authorization-server-client.ts'
import type { OutboundCall } from '../../src/auth/authorization-server/outbound-fetch.ts'
import { systemClock } from '../../src/clock.ts'
import { compile } from '../../src/compiler/compile.ts'
import {
  startThreadPool,
  type ThreadPoolDependencies,
  type ThreadPoolOptions,
} from '../../src/proxy/thread-pool.ts'
import { collectResources } from '../../src/source/collect-resources.ts'
import { FILE_OPTIONS } from '../compiler/manifests.ts'

/** Ostiary's proxy threads as they are in earnest, fed with objects by the test instead of a source. */
export interface ThreadedOstiary {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly origin: () => string
  /** Where `https` was asked for. */
  readonly httpsPort: number
  /** Compiles and publishes objects in place of the old; resolves when every thread runs on them. */
  apply(...objects: readonly object[]): Promise<void>
  close(options: { readonly drainMs: number }): Promise<void>
}

/** @throws Error where it is refused: these tests are not about that. */
function read(raw: object): KubernetesObject {
  const { metadata } = raw as { metadata: object }
  const result = parseObject({ ...raw, metadata: { namespace: 'default', ...metadata } })
  if (result.kind !== 'object') throw new Error(`refused: ${JSON.stringify(result)}`)
  return result.object
}

/** Starts two threads on free ports; they are gone when the test is. */
export async function startThreadedOstiary(
  options: Partial<ThreadPoolOptions> = {},
  told: {
    readonly writeLines?: ThreadPoolDependencies['writeLines']
    readonly onCall?: (call: OutboundCall) => void
  } = {},
): Promise<ThreadedOstiary> {
  const authorizationServers = createAuthorizationServerClient({
    clock: systemClock,
    allowLoopback: true,
    userAgent: 'ostiary-test',
    ...(told.onCall && { onCall: told.onCall }),
  })
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const threads = await startThreadPool(
    { workers: 2, http: { port: 0, host: '127.0.0.1' }, allowLoopbackSessionStores: true, ...options },
    {
      log,
      serveBroker: (port) => serveBroker(port, authorizationServers),
      ...(told.writeLines && { writeLines: told.writeLines }),
    },
  )
  onTestFinished(async () => {
    await threads.close({ drainMs: 0 })
    await authorizationServers.close()
  })
  const sessionKey = randomBytes(32).toString('base64url')
  let version = 0
  return {
    port: threads.ports.http ?? 0,
    origin: () => `http://127.0.0.1:${threads.ports.http}`,
    httpsPort: threads.ports.https ?? 0,
    async apply(...objects) {
      const { table, secrets } = compile(collectResources(objects.map(read), []), FILE_OPTIONS)
      version += 1
      await threads.publish({
        version,
        table,
        secrets: { ...secrets, 'session-key/0': sessionKey },
        sessionKeys: ['session-key/0'],
      })
    },
    close: (drain) => threads.close(drain),
  }
}
