import type { Resources } from '../api/resources.ts'
import { createAuthorizationServerClient } from '../auth/authorization-server/create-authorization-server-client.ts'
import { systemClock } from '../clock.ts'
import { compile } from '../compiler/compile.ts'
import { explain } from '../explain/explain.ts'
import type { Explanation } from '../explain/explanation.ts'
import type { Settings } from '../settings/settings.ts'
import { readDirectory } from '../source/directory/read-directory.ts'
import { certificateDiagnostics } from './certificate-findings.ts'
import { compileOptionsOf } from './compile-options.ts'
import type { ExplainRequest } from './explain-options.ts'
import { outboundProxiesOf } from './outbound-proxies.ts'
import { printData } from './output-format.ts'
import { printExplanation } from './print-explanation.ts'
import type { CommandTerminal } from './terminal.ts'

const CLUSTER_PATIENCE_MS = 60_000

/**
 * `ostiary explain URL`: reads manifests or a cluster once, and prints what a request would meet, step by step.
 *
 * @returns Whether the request would be forwarded.
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when manifests or cluster cannot be read.
 */
export async function explainCommand(
  request: ExplainRequest,
  settings: Settings,
  { output, progress, userAgent }: CommandTerminal,
): Promise<{ forwarded: boolean }> {
  try {
    progress.tell(request.filename === undefined ? 'reading the cluster' : `reading ${request.filename}`)
    const resources = await readResources(request, settings)
    progress.tell('compiling')
    const explanation = await explainOnce(request, settings, resources, { progress, userAgent })
    progress.end()
    output.write(
      request.output === 'text'
        ? printExplanation(explanation, output)
        : printData(explanation, request.output),
    )
    return { forwarded: explanation.outcome.kind === 'forwarded' }
  } finally {
    progress.end()
  }
}

async function readResources({ filename }: ExplainRequest, settings: Settings): Promise<Resources> {
  if (filename !== undefined) return readDirectory(filename)
  // The Kubernetes client is large, and files have no use for it.
  const { readCluster } = await import('./read-cluster.ts')
  return readCluster(settings.kubeconfig, {
    watchNamespaces: settings.watchNamespace,
    hasClusterRights: !settings.withoutClusterRights,
    patienceMs: CLUSTER_PATIENCE_MS,
  })
}

async function explainOnce(
  { filename, isOffline, question }: ExplainRequest,
  settings: Settings,
  resources: Resources,
  { progress, userAgent }: Omit<CommandTerminal, 'output'>,
): Promise<Explanation> {
  const fromFiles = filename !== undefined
  const result = compile(resources, compileOptionsOf(settings, fromFiles))
  const expiries = certificateDiagnostics(result.certificates, systemClock.now(), new Set())
  const authorizationServers = createAuthorizationServerClient({
    clock: systemClock,
    allowLoopback: fromFiles || settings.allowLoopbackIssuers,
    proxies: outboundProxiesOf(settings),
    userAgent,
  })
  progress.tell('asking')
  try {
    return await explain(question, {
      resources,
      result,
      diagnostics: [...result.diagnostics, ...expiries],
      clock: systemClock,
      authorizationServers,
      isOffline,
      trustedProxies: settings.trustedProxies,
      httpsRedirectPort: settings.httpsRedirectPort,
    })
  } finally {
    await authorizationServers.close()
  }
}
