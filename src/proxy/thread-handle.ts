import type { Readable } from 'node:stream'
import type { CPUProfileHandle } from 'node:v8'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { LineBatch } from '../observability/line-batches.ts'
import type { MetricFamily } from '../observability/request-metrics.ts'
import type { Timers } from '../clock.ts'
import { OstiaryError } from '../errors.ts'
import type { ProxyLog } from './exchange.ts'
import { Heartbeat } from './heartbeat.ts'
import { PendingAnswers } from './pending-answers.ts'
import type { ListeningPorts, ProxyServerOptions } from './proxy-server.ts'
import { PublicationSender } from './publication-sender.ts'
import type {
  FromThread,
  LineKind,
  Publication,
  ThreadData,
  ThreadLogs,
  ToThread,
} from './thread-messages.ts'
import type { ReportQuestion, ThreadReport } from './thread-report.ts'
import { serveRateLimits } from './traffic/rate-limit-port.ts'
import type { RateLimiter } from './traffic/rate-limiter.ts'

export interface ThreadOptions {
  /** For messages to people. */
  readonly name: string
  /** See `ThreadState`. */
  readonly place: number
  readonly timers: Timers
  readonly entry: URL
  readonly server: ProxyServerOptions
  readonly logs: ThreadLogs
  readonly publication: Publication | undefined
  readonly log: ProxyLog
  /** Takes the lines that the thread has written of requests. */
  readonly writeLines: (of: LineKind, batch: LineBatch) => void
  /** Counts for all threads. */
  readonly rateLimiter: RateLimiter
  /** Given the main thread's end of the thread's broker port. */
  readonly serveBroker: (port: MessagePort) => void
  /** The thread acknowledged a publication. */
  readonly onPublished: () => void
  /** The thread owes an answer for yet another beat. */
  readonly onSilence: () => void
  /** The thread is gone, asked or not. */
  readonly onExit: () => void
}

/** A thread that is slower than this to tell its metrics is told of by what it said last. */
const ANSWER_WAIT_MS = 2000

/** The main thread's side of one proxy thread. */
export class ThreadHandle {
  readonly startedAtMs = performance.now()
  readonly listening: Promise<ListeningPorts>
  readonly #worker: Worker
  readonly #options: ThreadOptions
  readonly #exited: Promise<void>
  readonly #heartbeat: Heartbeat
  readonly #sender: PublicationSender
  #isListening = false
  readonly #metrics: PendingAnswers<readonly MetricFamily[]>
  readonly #reports: PendingAnswers<ThreadReport | undefined>
  #settle!: { resolve(ports: ListeningPorts): void; reject(error: Error): void }
  #lastMetrics: readonly MetricFamily[] = []

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#metrics = new PendingAnswers(options.timers, ANSWER_WAIT_MS)
    this.#reports = new PendingAnswers(options.timers, ANSWER_WAIT_MS)
    // What it was started with, it takes before it listens.
    this.#sender = new PublicationSender(options.publication, (part) => this.#send({ kind: 'publish', part }))
    const channel = new MessageChannel()
    options.serveBroker(channel.port1)
    const limits = new MessageChannel()
    serveRateLimits(limits.port1, options.rateLimiter)
    const { publication } = options
    const workerData: ThreadData = {
      options: options.server,
      publication: publication && { sequence: publication.sequence, snapshot: publication.snapshot },
      logs: options.logs,
      brokerPort: channel.port2,
      rateLimitPort: limits.port2,
    }
    this.listening = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.listening.catch(() => {})
    const transferList = [channel.port2, limits.port2]
    this.#worker = new Worker(options.entry, { workerData, transferList, name: 'proxy' })
    this.#worker.on('message', (message: FromThread) => this.#take(message))
    this.#worker.on('error', (error: Error) =>
      options.log.error({ error: error.message }, 'proxy thread failed'),
    )
    this.#heartbeat = new Heartbeat(() => this.#send({ kind: 'beat' }), options.timers, options.onSilence)
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#heartbeat.stop()
        channel.port1.close()
        limits.port1.close()
        this.#abandon()
        options.onExit()
        resolve()
      })
    })
  }

  /** The newest publication that the thread runs on; 0: none. */
  get acknowledged(): number {
    return this.#sender.acknowledged
  }

  /** Of that publication; 0: none. */
  get snapshotVersion(): number {
    return this.#sender.acknowledgedVersion
  }

  get name(): string {
    return this.#options.name
  }

  get place(): number {
    return this.#options.place
  }

  /** It has come up. */
  get isListening(): boolean {
    return this.#isListening
  }

  /** For how long it has not answered. */
  get silentMs(): number {
    return this.#heartbeat.silentMs
  }

  /** As it told them last. */
  get lastMetrics(): readonly MetricFamily[] {
    return this.#lastMetrics
  }

  publish(publication: Publication): void {
    this.#sender.publish(publication)
  }

  /** The last ones where the thread is too busy to answer; none where it goes away meanwhile. */
  metrics(): Promise<readonly MetricFamily[]> {
    return this.#metrics.ask(
      (id) => this.#send({ kind: 'metrics', id }),
      () => this.#lastMetrics,
    )
  }

  /** Nothing where the thread is too busy to answer, or goes away meanwhile. */
  report(question: ReportQuestion): Promise<ThreadReport | undefined> {
    return this.#reports.ask(
      (id) => this.#send({ kind: 'report', id, question }),
      () => undefined,
    )
  }

  startCpuProfile(): Promise<CPUProfileHandle> {
    return this.#worker.startCpuProfile()
  }

  heapSnapshot(): Promise<Readable> {
    return this.#worker.getHeapSnapshot()
  }

  /** Lets it drain, and ends it some time after that where it does not end by itself. */
  async close(drainMs: number, graceMs: number): Promise<void> {
    this.#send({ kind: 'close', drainMs })
    const timer = setTimeout(() => void this.#worker.terminate(), drainMs + graceMs)
    await this.#exited
    clearTimeout(timer)
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #take(message: FromThread): void {
    switch (message.kind) {
      case 'listening':
        this.#isListening = true
        this.#settle.resolve(message.ports)
        return
      case 'notListening':
        this.#settle.reject(new OstiaryError('ERR_LISTEN', message.message))
        return
      case 'published':
        this.#sender.published(message.sequence)
        this.#options.onPublished()
        return
      case 'partTaken':
        this.#sender.taken(message.sequence, message.index)
        return
      case 'outOfStep':
        this.#options.log.warn(
          { thread: this.name },
          'a proxy thread is out of step and is sent the whole table',
        )
        this.#sender.outOfStep(message.sequence)
        return
      case 'metrics':
        this.#lastMetrics = message.families
        this.#metrics.answered(message.id, message.families)
        return
      case 'report':
        this.#reports.answered(message.id, message.report)
        return
      case 'beat':
        this.#heartbeat.answered()
        return
      case 'lines':
        this.#options.writeLines(message.of, message.batch)
        this.#send({ kind: 'linesTaken', of: message.of, characters: message.batch.text.length })
        return
      case 'log':
        this.#options.log[message.level](message.fields, message.message)
        return
    }
  }

  #abandon(): void {
    this.#settle.reject(new OstiaryError('ERR_LISTEN', 'a proxy thread ended before it listened'))
    this.#metrics.abandon([])
    this.#reports.abandon(undefined)
  }

  #send(message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker, no window
    this.#worker.postMessage(message)
  }
}
