import type { Ingress } from '../api/ingress.ts'
import type { Service } from '../api/service.ts'
import type { Endpoint, Upstream } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import { guessHost } from './host.ts'
import type { CompileOptions, DashboardHost } from './options.ts'
import { ownMetadata } from './own-metadata.ts'
import { coversHost } from './ssl-redirect.ts'

/** No Ingress and no Service can have this name: the route is known by it in logs and metrics. */
const NAME = '(dashboard)'

/**
 * The host of the dashboard is nobody else's: what Ingresses say of it is left out, whoever owns them. A path of
 * another's there could be open, or steal the sessions of those who look.
 *
 * @returns The Ingresses themselves where nothing is left out.
 */
export function withoutDashboardHost(
  ingresses: readonly Ingress[],
  { dashboard }: CompileOptions,
  diagnostics: Diagnostics,
): readonly Ingress[] {
  if (dashboard === undefined) return ingresses
  return ingresses.flatMap((ingress) => {
    const rules = ingress.spec.rules.filter(({ host }, index) => {
      // A host that is not taken closes its paths on the one that was meant.
      const isReserved = guessHost(host ?? '') === dashboard.host
      if (isReserved) reportReserved(ingress, index, dashboard, diagnostics)
      return !isReserved
    })
    if (rules.length === ingress.spec.rules.length) return ingress
    return rules.length === 0 ? [] : { ...ingress, spec: { ...ingress.spec, rules } }
  })
}

function reportReserved(
  ingress: Ingress,
  index: number,
  { host }: DashboardHost,
  diagnostics: Diagnostics,
): void {
  diagnostics.report(ingress, {
    severity: 'error',
    reason: 'HostReserved',
    path: `spec.rules[${index}].host`,
    message: `names ${host}, which is the host of Ostiary's own dashboard; the rule is left out`,
    remedy: 'Use another host, or start Ostiary with another --dashboard-host.',
  })
}

/**
 * What serves the dashboard on a host: one path that a plugin guards, as an Ingress beside that plugin would have it.
 * Plain HTTP is sent to HTTPS where there is a certificate for the host.
 *
 * @param ingresses Those that are served beside it.
 */
export function dashboardIngress(
  ingresses: readonly Ingress[],
  { dashboard, defaultCertificate }: CompileOptions,
): readonly Ingress[] {
  if (dashboard === undefined) return []
  const { host, plugin, port } = dashboard
  const [namespace = '', name = ''] = plugin.split('/')
  const isCovered =
    defaultCertificate !== undefined ||
    ingresses.some(({ spec }) =>
      spec.tls.some(({ hosts, secretName }) => secretName && hosts.length > 0 && coversHost(hosts, host)),
    )
  const annotations = {
    'ostiary.dev/plugins': name,
    ...(isCovered && { 'ostiary.dev/ssl-redirect': 'true' }),
  }
  const http = { paths: [{ path: '/', pathType: 'Prefix' as const, backend: { loopbackPort: port } }] }
  return [
    {
      kind: 'Ingress',
      metadata: ownMetadata(NAME, namespace, annotations),
      spec: { tls: [], rules: [{ host, http }] },
    },
  ]
}

/** The dashboard as an upstream, and a Service that says nothing of it. */
export function dashboardUpstream(port: number): { readonly upstream: Upstream; readonly service: Service } {
  const endpoint: Endpoint = { address: '127.0.0.1', port }
  return {
    upstream: { id: NAME, endpoints: [endpoint] },
    service: {
      kind: 'Service',
      metadata: ownMetadata(NAME, '', {}),
      spec: { type: 'ClusterIP', publishNotReadyAddresses: false, ports: [] },
    },
  }
}
