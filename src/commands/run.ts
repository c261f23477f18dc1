import { Registry } from 'prom-client'
import type { Logger } from 'pino'
import { createAdminServer, type AdminDependencies } from '../admin/admin-server.ts'
import { serveBroker } from '../auth/authorization-server/broker.ts'
import {
  createAuthorizationServerClient,
  type DirectAuthorizationServerClient,
} from '../auth/authorization-server/create-authorization-server-client.ts'
import { WarmUp } from '../auth/authorization-server/warm-up.ts'
import { systemClock, systemTimers } from '../clock.ts'
import { compactHeap } from '../proxy/compact-heap.ts'
import { CompileMemo } from '../compiler/compile-memo.ts'
import { compile } from '../compiler/compile.ts'
import { messageOf, OstiaryError } from '../errors.ts'
import {
  createControlPlaneMetrics,
  type ControlPlaneMetrics,
} from '../observability/control-plane-metrics.ts'
import { createLog, lineFormatOf } from '../observability/log.ts'
import { createLogOutput, type LogOutput } from '../observability/log-output.ts'
import { mergedMetrics } from '../observability/merged-metrics.ts'
import { startThreadPool, type ThreadPool } from '../proxy/thread-pool.ts'
import { Reconciler, type Reconciliation } from '../reconciler/reconciler.ts'
import type { Settings } from '../settings/settings.ts'
import { CertificateFindings } from './certificate-findings.ts'
import { clientLimitsOf } from './client-limits.ts'
import { compileOptionsOf } from './compile-options.ts'
import { startDashboard, type RunningDashboard } from './dashboard/start-dashboard.ts'
import { countObjects } from './count-objects.ts'
import { countDiagnostics } from './count-diagnostics.ts'
import { notLive, notReady, notStarted, type RunState } from './health.ts'
import { openSource, type OpenedSource } from './open-source.ts'
import { outboundProxiesOf } from './outbound-proxies.ts'
import { ServerFindings } from './server-findings.ts'
import { startStatus } from './start-status.ts'
import { startTracing, type Tracing } from './tracing.ts'

/** Until the last node has heard that a pod leaves its Services, with the usual margin. */
const SHUTDOWN_DELAY_MS = 5000

/**
 * `ostiary run`: wires source, reconciler, proxy threads, broker and admin server together, and runs until the signal
 * is aborted. Then readiness fails, everything is served for the shutdown delay, and requests in flight may finish.
 *
 * @throws OstiaryError ERR_LISTEN, ERR_SOURCE_UNAVAILABLE, ERR_SESSION_KEY_INVALID: when it cannot begin.
 */
export async function run(settings: Settings, version: string, signal: AbortSignal): Promise<void> {
  const output = createLogOutput((lines) => linesDropped(lines, { log, metrics }))
  const log = createLog({ level: settings.logLevel, format: settings.logFormat }, output)
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, version, {
    keyAges: () => authorizationServers.keyAges(),
    threads: () => state.threads?.threads() ?? [],
  })
  const state: RunState = { phase: 'starting' }
  const serverFindings = new ServerFindings()
  // Taken down in the reverse order: probes and calls to authorization servers outlive the requests in flight.
  await using running = new AsyncDisposableStack()
  running.defer(() => output.endSoon())

  const { otlpEndpoint } = settings
  const tracing = otlpEndpoint === undefined ? undefined : await startTracing(otlpEndpoint, version, log)
  if (tracing !== undefined) running.defer(() => tracing.close())
  const authorizationServers = createAuthorizationServerClient({
    clock: systemClock,
    allowLoopback: allowsLoopback(settings),
    proxies: outboundProxiesOf(settings),
    userAgent: `ostiary/${version}`,
    onCall: (call) => {
      metrics.calledAuthorizationServer(call)
      serverFindings.called(call, systemClock.now())
      tracing?.calledAuthorizationServer(call)
    },
  })
  running.defer(() => authorizationServers.close())
  running.defer(
    await startAdmin(settings, log, {
      notStarted: () => notStarted(state),
      notLive: () => notLive(state),
      notReady: () => notReady(state),
      metrics: async (format) =>
        mergedMetrics(await registry.getMetricsAsJSON(), (await state.threads?.metrics()) ?? [], format),
    }),
  )
  const threads = await startThreads({ settings, log, output, metrics, tracing, authorizationServers })
  state.threads = threads
  const drain = () => threads.close({ drainMs: settings.drainTimeout })
  running.defer(drain)
  const dashboard = await startDashboard({
    settings,
    version,
    log,
    state,
    threads,
    serverFindings,
    authorizationServers,
  })
  running.defer(() => dashboard?.close())

  const opened = await openUnlessStopped(settings, log, signal)
  if (opened === undefined) return
  state.source = opened.source
  running.defer(() => opened.close())
  const certificates = new CertificateFindings({ clock: systemClock, timers: systemTimers, logger: log })
  running.defer(() => certificates.stop())
  state.certificates = certificates
  const status = startStatus({ settings, log, opened, serverFindings, certificates, registry }, signal)
  running.defer(() => status.stopped)
  state.status = status
  const warmUp = new WarmUp(authorizationServers)
  running.defer(
    await startReconciling({ settings, log, threads, opened, state, dashboard }, (reconciliation) => {
      count(metrics, reconciliation)
      dashboard?.reconciled(reconciliation)
      if (reconciliation.outcome !== 'failed') certificates.update(reconciliation.result)
      status.reconciled(reconciliation)
      if (reconciliation.outcome === 'failed') return
      if (state.phase === 'starting') {
        state.phase = 'ready'
        setImmediate(() => compactHeap(reconciliation.snapshot.table.virtualHosts.length))
      }
      const servers = Object.values(reconciliation.snapshot.table.policies).map(({ server }) => server)
      warmUp.update(servers)
    }),
  )
  await aborted(signal)
  await shutdownDelay(settings, log, state)
  log.info('draining: requests in flight may finish')
  // Before everything else ends: until the last request is answered, endpoints are followed.
  await drain()
}

/**
 * Whoever sends requests here learns by and by that this instance leaves, and until then is served as ever. One that
 * never was ready has nobody to wait for.
 */
async function shutdownDelay(
  { shutdownDelay, manifests }: Settings,
  log: Logger,
  state: RunState,
): Promise<void> {
  const wasReady = state.phase === 'ready'
  state.phase = 'stopping'
  const delayMs = wasReady ? (shutdownDelay ?? (manifests === undefined ? SHUTDOWN_DELAY_MS : 0)) : 0
  log.info({ delayMs }, 'stopping: not ready any more')
  if (delayMs > 0) await new Promise<void>((resolve) => void systemTimers.after(delayMs, resolve))
}

/** @returns Nothing when it was told to stop while it waited for an API server that is away. */
async function openUnlessStopped(
  settings: Settings,
  log: Logger,
  signal: AbortSignal,
): Promise<OpenedSource | undefined> {
  try {
    return await openSource(settings, log, signal)
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** Files are for one's own machine, where everything is on loopback. */
function allowsLoopback({ manifests, allowLoopbackIssuers }: Settings): boolean {
  return manifests !== undefined || allowLoopbackIssuers
}

interface ReconcilingParts {
  readonly settings: Settings
  readonly log: Logger
  readonly threads: ThreadPool
  readonly opened: OpenedSource
  readonly state: RunState
  readonly dashboard: Pick<RunningDashboard, 'port'> | undefined
}

/** Starts source and reconciler. @returns What stops them. */
async function startReconciling(
  { settings, log, threads, opened: { source, sessionKeys }, state, dashboard }: ReconcilingParts,
  reconciled: (reconciliation: Reconciliation) => void,
): Promise<() => Promise<void>> {
  const stop = new AbortController()
  const compileOptions = compileOptionsOf(settings, settings.manifests !== undefined, dashboard?.port)
  const memo = new CompileMemo()
  const reconciler = new Reconciler({
    source,
    logger: log,
    reconciled,
    compile: (resources) => compile(resources, compileOptions, memo),
    publish: (snapshot, difference) => threads.publish(snapshot, difference),
    sessionKeys: (resources) => sessionKeys(resources).map((key) => key.reveal()),
  })
  state.reconciler = reconciler
  await source.start(() => reconciler.changed(), stop.signal)
  return async () => {
    stop.abort()
    await Promise.all([reconciler.stop(), source.stopped()])
  }
}

/** Somebody will miss them: what could not be told then, is told now. */
function linesDropped(
  lines: number,
  { log, metrics }: { readonly log: Logger; readonly metrics: ControlPlaneMetrics },
): void {
  metrics.linesDropped(lines)
  log.warn({ lines }, 'log lines were dropped: standard output was read too slowly')
}

interface ThreadsParts {
  readonly settings: Settings
  readonly log: Logger
  readonly output: LogOutput
  readonly metrics: ControlPlaneMetrics
  readonly tracing: Tracing | undefined
  readonly authorizationServers: DirectAuthorizationServerClient
}

async function startThreads(parts: ThreadsParts): Promise<ThreadPool> {
  const { settings, log, output, metrics, authorizationServers, tracing } = parts
  const format = lineFormatOf({ format: settings.logFormat }, output)
  const threads = await startThreadPool(
    {
      workers: settings.workers,
      http: { host: settings.bindAddress, port: settings.httpPort },
      https: { host: settings.bindAddress, port: settings.httpsPort },
      trustedProxies: settings.trustedProxies,
      httpsRedirectPort: settings.httpsRedirectPort,
      limits: clientLimitsOf(settings),
      ownPorts: [settings.adminPort, settings.dashboardPort],
      tls: { minVersion: `TLSv${settings.tlsMinVersion}`, http2: settings.http2 },
      allowLoopbackSessionStores: allowsLoopback(settings),
      logs: {
        accessLog: { enabled: settings.accessLog, sample: settings.accessLogSample, format },
        ...(settings.auditLog && { auditLog: format }),
        ...(tracing !== undefined && { traceRatio: settings.traceSampleRatio }),
      },
    },
    {
      log,
      writeLines: (of, { text, dropped }) => {
        if (of === 'spans') {
          tracing?.takeLines(text)
          return
        }
        if (text !== '') output.write(text)
        if (dropped > 0) linesDropped(dropped, parts)
      },
      serveBroker: (port) => serveBroker(port, authorizationServers),
      onFailure: () => metrics.threadFailed(),
    },
  )
  log.info({ ...threads.ports, threads: threads.size }, 'listening')
  return threads
}

/** @returns What closes it. */
async function startAdmin(
  { adminAddress, adminPort }: Settings,
  log: Logger,
  dependencies: AdminDependencies,
): Promise<() => Promise<void>> {
  const admin = createAdminServer(dependencies)
  try {
    const address = await admin.listen({ host: adminAddress, port: adminPort })
    log.info({ address }, 'serving probes and metrics')
  } catch (error) {
    const place = `cannot serve probes and metrics on ${adminAddress} port ${adminPort}`
    const message = `${place}: ${messageOf(error)}; choose another port with --admin-port`
    throw new OstiaryError('ERR_LISTEN', message, { cause: error })
  }
  return () => admin.close()
}

function count(metrics: ControlPlaneMetrics, reconciliation: Reconciliation): void {
  const { outcome, durationMs } = reconciliation
  metrics.reloaded(outcome, durationMs / 1000, systemClock.now() / 1000)
  if (reconciliation.outcome === 'failed') return
  const { snapshot, result } = reconciliation
  metrics.published(snapshot.version, snapshot.table)
  metrics.diagnosed(countDiagnostics(result.diagnostics))
  metrics.compiled(reconciliation.compileMs / 1000, countObjects(result))
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
