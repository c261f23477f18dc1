import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { AuditObserver } from '../../src/audit-event.ts'
import { createAuthorizationServerClient } from '../../src/auth/authorization-server/create-authorization-server-client.ts'
import { createAuthorizer } from '../../src/auth/create-authorizer.ts'
import { systemClock, systemTimers, type Clock, type Timers } from '../../src/clock.ts'
import { compile } from '../../src/compiler/compile.ts'
import type { CompileOptions, CompileResult } from '../../src/compiler/options.ts'
import type { MetricFamily } from '../../src/observability/request-metrics.ts'
import type { RequestRecorder } from '../../src/observability/request-record.ts'
import { SessionMetrics } from '../../src/observability/session-metrics.ts'
import { createProxyServer, type ProxyServerOptions } from '../../src/proxy/proxy-server.ts'
import type { ReportQuestion, ThreadReport } from '../../src/proxy/thread-report.ts'
import { collectResources } from '../../src/source/collect-resources.ts'
import { parseManifest } from '../../src/source/directory/parse-manifest.ts'
import { FILE_OPTIONS } from '../compiler/manifests.ts'

/** Ostiary in one thread of this process: manifests in, real HTTP out. */
export interface Ostiary {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** Where `proxy.https` was asked for. */
  readonly httpsPort?: number
  /** Compiles and publishes new manifests in place of the old. */
  apply(manifests: string): CompileResult
  /** What the last compile gave. */
  result(): CompileResult
  metrics(): readonly MetricFamily[]
  /** What its one thread tells of itself. */
  report(question: ReportQuestion): ThreadReport
  /** Seconds since the keys of each issuer were fetched. */
  keyAges(): ReadonlyMap<string, number>
}

export interface OstiaryOptions {
  readonly clock?: Clock
  readonly timers?: Timers
  readonly compile?: Partial<CompileOptions>
  readonly proxy?: Partial<ProxyServerOptions>
  /** Base64url of 32 bytes, for instances that share sessions. Default: one of its own. */
  readonly sessionKey?: string
  readonly recorder?: RequestRecorder
  readonly audit?: AuditObserver
}

/** Starts Ostiary on manifests; it is gone when the test is. */
export async function startOstiary(manifests: string, options: OstiaryOptions = {}): Promise<Ostiary> {
  const clock = options.clock ?? systemClock
  const authorizationServers = createAuthorizationServerClient({
    clock,
    allowLoopback: true,
    userAgent: 'ostiary-test',
  })
  const sessions = new SessionMetrics()
  const { audit, recorder } = options
  const watching = audit === undefined ? {} : { audit }
  const authorizer = createAuthorizer({
    clock,
    authorizationServers,
    randomBytes,
    allowLoopback: true,
    sessionObserver: sessions,
    ...watching,
  })
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const proxyOptions = { http: { host: '127.0.0.1', port: 0 }, ...options.proxy }
  const { timers = systemTimers } = options
  const server = await createProxyServer(proxyOptions, {
    authorizer,
    clock,
    timers,
    log,
    sessions,
    ...watching,
    ...(recorder !== undefined && { recorder }),
  })
  const sessionKey = options.sessionKey ?? randomBytes(32).toString('base64url')
  let version = 0
  let result: CompileResult

  function apply(text: string): CompileResult {
    const entries = parseManifest(text, 'test.yaml')
    const broken = entries.flatMap((entry) => (entry.kind === 'object' ? [] : [entry.input]))
    const objects = entries.flatMap((entry) => (entry.kind === 'object' ? [entry.object] : []))
    result = compile(collectResources(objects, broken), { ...FILE_OPTIONS, ...options.compile })
    version += 1
    const secrets = { ...result.secrets, 'session-key/0': sessionKey }
    server.publish({ version, table: result.table, secrets, sessionKeys: ['session-key/0'] })
    return result
  }

  apply(manifests)
  const { http: port = 0, https: httpsPort } = await server.listen()
  onTestFinished(async () => {
    await server.close({ drainMs: 0 })
    authorizer.close?.()
    await authorizationServers.close()
  })
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ...(httpsPort !== undefined && { httpsPort }),
    apply,
    result: () => result,
    metrics: () => server.metrics(),
    report: (question) => server.report(question),
    keyAges: () => authorizationServers.keyAges(),
  }
}
