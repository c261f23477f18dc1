import { noLocalAddress, anyAddress } from '../auth/authorization-server/address-guard.ts'
import { createAuthorizationServerClient } from '../auth/authorization-server/create-authorization-server-client.ts'
import { createServerAgent, type OutboundProxies } from '../auth/authorization-server/server-agent.ts'
import { objectKey } from '../api/object.ts'
import type { Resources } from '../api/resources.ts'
import { systemClock } from '../clock.ts'
import { compile } from '../compiler/compile.ts'
import { createAsk } from '../doctor/ask.ts'
import { checkPlugin } from '../doctor/check-plugin.ts'
import { examine } from '../doctor/examine.ts'
import type { Outcome, Report } from '../doctor/finding.ts'
import { printReport } from '../doctor/print-report.ts'
import { redirectUriCandidates } from '../doctor/redirect-uri-candidates.ts'
import type { Policy } from '../table/policy.ts'
import type { CompileResult } from '../compiler/options.ts'
import type { Settings } from '../settings/settings.ts'
import { readDirectory } from '../source/directory/read-directory.ts'
import { compileOptionsOf } from './compile-options.ts'
import type { DoctorRequest } from './doctor-options.ts'
import { printData, type RowsFormat } from './output-format.ts'
import { outboundProxiesOf } from './outbound-proxies.ts'
import { printRows } from './print-rows.ts'
import { coloured, type Colour, type CommandTerminal, type TextStream } from './terminal.ts'

/**
 * `ostiary doctor PLUGIN`: reads manifests or a cluster, asks the plugin's authorization server everything that can
 * be asked without signing anybody in, and prints a checklist with the fix for each failure.
 *
 * @returns How many checks failed.
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when manifests or cluster cannot be read.
 */
export async function doctor(
  request: DoctorRequest,
  settings: Settings,
  { output, progress, userAgent }: CommandTerminal,
): Promise<{ failures: number }> {
  const fromFiles = request.filename !== undefined
  progress.tell(request.filename === undefined ? 'reading the cluster' : `reading ${request.filename}`)
  const resources =
    request.filename === undefined
      ? await readClusterLazily(settings, request.namespace)
      : readDirectory(request.filename)
  const allowLoopback = fromFiles || settings.allowLoopbackIssuers
  const result = compile(resources, compileOptionsOf(settings, fromFiles))
  const caller = { allowLoopback, userAgent, proxies: outboundProxiesOf(settings) }
  const whom = `asking the authorization server of ${request.namespace}/${request.name}`
  const tell = (step: string): void => progress.tell(`${whom}: ${step}`)
  const report = await examinePlugin(request, resources, result, { ...caller, tell })
  progress.end()
  output.write(request.output === 'text' ? asText(report, fromFiles, output) : asData(report, request.output))
  return { failures: report.findings.filter(({ outcome }) => outcome === 'failed').length }
}

/** Loads the Kubernetes client, which files have no use for. */
async function readClusterLazily(settings: Settings, namespace: string): Promise<Resources> {
  const { readCluster } = await import('./read-cluster.ts')
  return readCluster(settings.kubeconfig, {
    watchNamespaces: [namespace],
    hasClusterRights: !settings.withoutClusterRights,
  })
}

interface Caller {
  readonly tell: (step: string) => void
  readonly allowLoopback: boolean
  readonly userAgent: string
  readonly proxies: OutboundProxies
}

async function examinePlugin(
  { namespace, name, url }: DoctorRequest,
  resources: Resources,
  result: CompileResult,
  caller: Caller,
): Promise<Report> {
  const plugin = `${namespace}/${name}`
  const plugins = resources.oidcPlugins.map(({ metadata }) => objectKey(metadata)).toSorted()
  const own = checkPlugin({ ...result, plugins }, plugin)
  const policy = result.table.policies[plugin]
  if (policy === undefined) return { plugin, findings: own }
  const asked = await examineServer(policy, result, caller, url)
  return { plugin, issuer: policy.server.issuer, findings: [...own, ...asked] }
}

async function examineServer(
  policy: Policy,
  { table, secrets }: CompileResult,
  { allowLoopback, userAgent, proxies, tell }: Caller,
  pageUrl: URL | undefined,
): Promise<Report['findings']> {
  const clock = systemClock
  const { server } = policy
  const authorizationServers = createAuthorizationServerClient({ clock, allowLoopback, userAgent, proxies })
  const dispatcher = createServerAgent(server, allowLoopback ? anyAddress : noLocalAddress, proxies)
  try {
    return await examine(
      {
        policy,
        snapshot: { table, secret: (id) => secrets[id], sessionKeys: [] },
        redirectUris: redirectUriCandidates(table, policy, pageUrl),
      },
      {
        clock,
        authorizationServers,
        ask: createAsk({ dispatcher, clock, timeoutMs: server.timeoutMs, userAgent }),
        tell,
      },
    )
  } finally {
    await Promise.all([authorizationServers.close(), dispatcher.close()])
  }
}

const COLOURS: Readonly<Record<Outcome, Colour>> = {
  ok: 'green',
  failed: 'red',
  warning: 'yellow',
  skipped: 'dim',
}

function asData(report: Report, format: Exclude<RowsFormat, 'text'>): string {
  if (format !== 'table') return printData(report, format)
  const rows = report.findings.map(({ check, outcome, found, fix = '' }) => [outcome, check, found, fix])
  return printRows(['OUTCOME', 'CHECK', 'FOUND', 'FIX'], rows)
}

function asText(report: Report, fromFiles: boolean, output: TextStream): string {
  const isTerminal = output.isTTY === true
  const text = printReport(report, {
    marks: isTerminal,
    emphasize: (outcome, mark) => coloured(output, COLOURS[outcome], mark),
    ...(isTerminal && output.columns !== undefined && { width: output.columns }),
  })
  if (fromFiles || report.issuer === undefined) return text
  return `${text}Asked from this machine: the cluster's own DNS, firewalls and clocks may differ.\n`
}
