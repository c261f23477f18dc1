import type { MessagePort } from 'node:worker_threads'
import { assertNever } from '../assert-never.ts'
import type { Authorizer } from '../auth/authorize.ts'
import { CacheCounts } from '../auth/cache-counts.ts'
import { systemClock, systemTimers } from '../clock.ts'
import { compactHeap } from './compact-heap.ts'
import { messageOf } from '../errors.ts'
import type { AuditObserver } from '../audit-event.ts'
import { LoopDelay } from '../observability/loop-delay.ts'
import { SessionMetrics } from '../observability/session-metrics.ts'
import { EMPTY_LIVE_TABLE, liveTableOf } from '../table/live-table.ts'
import type { ProxyLog } from './exchange.ts'
import { createProxyServer, type ProxyServer, type ProxyServerOptions } from './proxy-server.ts'
import { PublicationReceiver } from './publication-receiver.ts'
import type { FromThread, LogLevel, PublicationPart, ThreadData, ToThread } from './thread-messages.ts'
import { startRecording, type Recording } from './recording.ts'
import { createRateLimitClient } from './traffic/rate-limit-port.ts'

/** What a thread gives its authorizer. */
export interface AuthorizerParts {
  readonly brokerPort: MessagePort
  readonly options: ProxyServerOptions
  readonly caches: CacheCounts
  readonly sessions: SessionMetrics
  readonly audit: AuditObserver
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
  const recording = startRecording(data.logs, (of, batch) => send(port, { kind: 'lines', of, batch }))
  const heard = [sessions, ...(recording.audit === undefined ? [] : [recording.audit])]
  const authorizer = createAuthorizer({
    brokerPort,
    options,
    caches,
    sessions,
    audit: { happened: (event) => heard.forEach((each) => each.happened(event)) },
  })
  const server = await createProxyServer(data.options, {
    authorizer,
    caches,
    sessions,
    clock: systemClock,
    log: remoteLog(port),
    rateLimiter: createRateLimitClient(data.rateLimitPort, systemClock),
    ...recording.dependencies,
  })
  const loopDelay = new LoopDelay(systemClock, systemTimers)
  const follower = new Follower(server, remoteLog(port), data.publication)
  // Before listening: what is asked meanwhile must not be lost.
  port.on('message', (message: ToThread) => {
    void obey({ port, server, follower, lines: recording.lines, loopDelay }, message).then((goesOn) => {
      if (!goesOn) {
        for (const each of Object.values(recording.lines)) each.flush()
        loopDelay.stop()
        authorizer.close?.()
        data.brokerPort.close()
        data.rateLimitPort.close()
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

interface Obeying {
  readonly port: MessagePort
  readonly server: ProxyServer
  readonly follower: Follower
  readonly lines: Recording['lines']
  readonly loopDelay: LoopDelay
}

async function obey(
  { port, server, follower, lines, loopDelay }: Obeying,
  message: ToThread,
): Promise<boolean> {
  switch (message.kind) {
    case 'publish':
      send(port, follower.take(message.part))
      return true
    case 'metrics':
      send(port, {
        kind: 'metrics',
        id: message.id,
        families: [...server.metrics(), ...loopDelay.families()],
      })
      return true
    case 'report':
      send(port, { kind: 'report', id: message.id, report: server.report(message.question) })
      return true
    case 'linesTaken':
      lines[message.of].taken(message.characters)
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

/** Makes the thread run on each publication once it has all of it. */
class Follower {
  readonly #server: ProxyServer
  readonly #log: ProxyLog
  readonly #receiver: PublicationReceiver
  #longestMs = 0
  #isServing: boolean

  /** @param first What the thread is started with: live before it listens. */
  constructor(server: ProxyServer, log: ProxyLog, first: ThreadData['publication']) {
    this.#server = server
    this.#log = log
    this.#isServing = first !== undefined
    const live = first === undefined ? EMPTY_LIVE_TABLE : liveTableOf(first.snapshot)
    this.#receiver = new PublicationReceiver(live, first?.sequence ?? 0)
    if (first === undefined) return
    server.run({ ...first.snapshot, live })
    compactHeap(first.snapshot.table.virtualHosts.length)
  }

  take(part: PublicationPart): FromThread {
    const { sequence, index, last } = part
    const startedMs = threadCpuMs()
    const receipt = this.#receiver.take(part)
    if (receipt.kind === 'complete') this.#server.run(receipt.snapshot)
    const tookMs = threadCpuMs() - startedMs
    this.#longestMs = index === 0 ? tookMs : Math.max(this.#longestMs, tookMs)
    if (receipt.kind === 'more') return { kind: 'partTaken', sequence, index }
    if (receipt.kind === 'outOfStep') return { kind: 'outOfStep', sequence }
    const { exactHosts, wildcardHosts } = receipt.snapshot.live
    const fields = { version: last?.version, parts: index + 1, longestPartCpuMs: this.#longestMs }
    this.#log.debug(fields, 'snapshot applied')
    // Before the first one nobody was served.
    if (!this.#isServing) compactHeap(exactHosts.size + wildcardHosts.size)
    this.#isServing = true
    return { kind: 'published', sequence }
  }
}

/** Of the clock it would be as much as other processes take at the time. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
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
