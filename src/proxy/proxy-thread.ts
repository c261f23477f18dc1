import type { MessagePort } from 'node:worker_threads'
import { assertNever } from '../assert-never.ts'
import type { Authorizer } from '../auth/authorize.ts'
import { CacheCounts } from '../auth/cache-counts.ts'
import { systemClock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { SessionMetrics } from '../observability/session-metrics.ts'
import type { ProxyLog } from './exchange.ts'
import { createProxyServer, type ProxyServer, type ProxyServerOptions } from './proxy-server.ts'
import type { FromThread, LogLevel, Publication, ThreadData, ToThread } from './thread-messages.ts'

/** What a thread gives its authorizer. */
export interface AuthorizerParts {
  readonly brokerPort: MessagePort
  readonly options: ProxyServerOptions
  readonly caches: CacheCounts
  readonly sessions: SessionMetrics
}

/**
 * The life of a proxy thread: publishes what it was started with, listens, says so, and does what the main thread
 * asks until it is closed.
 *
 * @param port to the main thread
 */
export async function runProxyThread(
  port: MessagePort,
  data: ThreadData,
  createAuthorizer: (parts: AuthorizerParts) => Authorizer,
): Promise<void> {
  const caches = new CacheCounts()
  const sessions = new SessionMetrics()
  const { brokerPort, options } = data
  const authorizer = createAuthorizer({ brokerPort, options, caches, sessions })
  const server = await createProxyServer(data.options, {
    authorizer,
    caches,
    sessions,
    clock: systemClock,
    log: remoteLog(port),
  })
  if (data.publication !== undefined) publish(port, server, data.publication)
  // Before listening: what is asked meanwhile must not be lost.
  port.on('message', (message: ToThread) => {
    void obey(port, server, message).then((goesOn) => {
      if (!goesOn) {
        authorizer.close?.()
        data.brokerPort.close()
        port.close()
      }
    })
  })
  try {
    send(port, { kind: 'listening', ports: await server.listen() })
  } catch (error) {
    send(port, { kind: 'notListening', message: messageOf(error) })
  }
}

async function obey(port: MessagePort, server: ProxyServer, message: ToThread): Promise<boolean> {
  switch (message.kind) {
    case 'publish':
      publish(port, server, message.publication)
      return true
    case 'metrics':
      send(port, { kind: 'metrics', id: message.id, families: server.metrics() })
      return true
    case 'beat':
      send(port, { kind: 'beat' })
      return true
    case 'close':
      await server.close({ drainMs: message.drainMs })
      return false
    default:
      return assertNever(message)
  }
}

function publish(port: MessagePort, server: ProxyServer, { sequence, snapshot }: Publication): void {
  server.publish(snapshot)
  send(port, { kind: 'published', sequence })
}

/** Lines go to the main thread, which alone writes. */
function remoteLog(port: MessagePort): ProxyLog {
  const at =
    (level: LogLevel) =>
    (fields: object, message = ''): void =>
      send(port, { kind: 'log', level, fields, message })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function send(port: MessagePort, message: FromThread): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort, no window
  port.postMessage(message)
}
