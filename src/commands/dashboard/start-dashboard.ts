import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createDashboardServer, type DataPlaneAddress } from '../../admin/dashboard/dashboard-server.ts'
import { createDebugServer } from '../../admin/debug/debug-server.ts'
import type { DebugSource } from '../../admin/debug/debug-source.ts'
import { TrafficSampler } from '../../admin/dashboard/traffic-sampler.ts'
import type { DirectAuthorizationServerClient } from '../../auth/authorization-server/create-authorization-server-client.ts'
import { systemClock, systemTimers } from '../../clock.ts'
import type { CompileResult } from '../../compiler/options.ts'
import { messageOf, OstiaryError } from '../../errors.ts'
import { explain } from '../../explain/explain.ts'
import { explainedSnapshot } from '../../explain/explained-snapshot.ts'
import type { ThreadPool } from '../../proxy/thread-pool.ts'
import type { Reconciliation } from '../../reconciler/reconciler.ts'
import type { Settings } from '../../settings/settings.ts'
import { notReady, type RunState } from '../health.ts'
import type { ServerFindings } from '../server-findings.ts'
import { ControlPlaneRecord } from './control-plane-record.ts'
import { createDashboardSource } from './create-dashboard-source.ts'
import type { DashboardWorld } from './dashboard-world.ts'
import { createLiveDebug } from './live-debug.ts'
import { memoized } from './memoized.ts'

/** Only who is on this machine, or who may forward a port of the pod, gets to it. */
const ADDRESS = '127.0.0.1'

export interface DashboardParts {
  readonly settings: Settings
  readonly version: string
  readonly log: Logger
  readonly state: RunState
  readonly threads: Pick<ThreadPool, 'reports' | 'threads' | 'ports' | 'startCpuProfile' | 'heapSnapshot'>
  readonly serverFindings: ServerFindings
  readonly authorizationServers: DirectAuthorizationServerClient
}

export interface RunningDashboard {
  readonly port: number
  reconciled(reconciliation: Reconciliation): void
  close(): Promise<void>
}

/**
 * Starts the dashboard and the debug endpoints, as far as they are to be there. A port that is taken costs them and
 * nothing else, but with a host of the dashboard's own, whose requests would go to a stranger.
 *
 * @throws OstiaryError ERR_LISTEN
 */
export async function startDashboard(parts: DashboardParts): Promise<RunningDashboard | undefined> {
  const { log, settings } = parts
  const controlPlane = new ControlPlaneRecord()
  const debug = settings.debugEndpoints ? liveDebug(parts, controlPlane) : undefined
  const dashboard = settings.dashboard ? openDashboard(parts, controlPlane, debug) : undefined
  const server = dashboard?.server ?? (debug && createDebugServer(debug))
  if (server === undefined) return undefined
  const port = await listen(() => server.listen({ host: ADDRESS, port: settings.dashboardPort }), parts)
  if (port === undefined) return undefined
  const address = `http://${ADDRESS}:${port}`
  if (dashboard !== undefined) log.info({ address }, 'serving the dashboard')
  if (debug !== undefined)
    log.warn(
      { address: `${address}/debug` },
      'serving debug endpoints: what they show of the memory holds secrets',
    )
  await dashboard?.sampler.start()
  return {
    port,
    reconciled: (reconciliation) => controlPlane.reconciled(reconciliation, systemClock.now()),
    async close() {
      dashboard?.sampler.stop()
      await server.close()
    },
  }
}

function openDashboard(
  parts: DashboardParts,
  controlPlane: ControlPlaneRecord,
  debug: DebugSource | undefined,
): { readonly server: FastifyInstance; readonly sampler: TrafficSampler } {
  const { log, settings, threads } = parts
  const sampler = new TrafficSampler({
    clock: systemClock,
    timers: systemTimers,
    ask: () => threads.reports({}),
    threads: () => threads.threads().map(({ name }) => name),
  })
  const source = createDashboardSource(worldOf(parts, controlPlane, sampler))
  const { dashboardHost } = settings
  const server = createDashboardServer({
    source,
    allowedHosts: dashboardHost === undefined ? [] : [dashboardHost],
    dataPlane: dataPlaneOf(parts),
    ...(debug !== undefined && { debug }),
    onFailure: (error) => log.error({ error: messageOf(error) }, 'the dashboard could not show a page'),
  })
  return { server, sampler }
}

function liveDebug({ threads }: DashboardParts, controlPlane: ControlPlaneRecord): DebugSource {
  return createLiveDebug({ table: () => controlPlane.compiled.table, threads, timers: systemTimers })
}

function worldOf(
  { authorizationServers, serverFindings, settings, state, threads, version }: DashboardParts,
  controlPlane: ControlPlaneRecord,
  sampler: TrafficSampler,
): DashboardWorld {
  const { trustedProxies, httpsRedirectPort } = settings
  // Of ten thousand routes it takes a quarter of a second, which this thread has not to give for each question.
  const snapshotOf = memoized((result: CompileResult) =>
    explainedSnapshot(result, randomBytes(32).toString('base64url')),
  )
  return {
    version,
    startedAtMs: systemClock.now(),
    clock: systemClock,
    controlPlane,
    phase: () => state.phase,
    notReady: () => notReady(state),
    isLeader: () => state.status?.isLeader?.(),
    threads,
    serverFindings,
    certificates: { diagnostics: () => state.certificates?.diagnostics() ?? [] },
    authorizationServers,
    traffic: () => sampler.history(),
    explain: (question, { resources, result }, diagnostics) =>
      explain(question, {
        resources,
        result,
        snapshot: snapshotOf(result),
        diagnostics,
        clock: systemClock,
        authorizationServers,
        isOffline: false,
        trustedProxies,
        httpsRedirectPort,
      }),
  }
}

/** @returns Nothing where the port cannot be had, and nobody else is sent there. */
async function listen(
  begin: () => Promise<string>,
  { log, settings: { dashboardHost, dashboardPort } }: DashboardParts,
): Promise<number | undefined> {
  try {
    return Number(new URL(await begin()).port)
  } catch (error) {
    const place = `cannot serve the dashboard on ${ADDRESS} port ${dashboardPort}`
    const message = `${place}: ${messageOf(error)}; choose another port with --dashboard-port, or --dashboard=false`
    if (dashboardHost !== undefined) throw new OstiaryError('ERR_LISTEN', message, { cause: error })
    log.error(message)
    return undefined
  }
}

function dataPlaneOf({ settings: { bindAddress }, threads: { ports } }: DashboardParts): DataPlaneAddress {
  const isAny = bindAddress === '::' || bindAddress === '0.0.0.0'
  return {
    host: isAny ? '127.0.0.1' : bindAddress,
    ...(ports.http !== undefined && { httpPort: ports.http }),
    ...(ports.https !== undefined && { httpsPort: ports.https }),
  }
}
