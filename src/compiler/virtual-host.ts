import type { Ingress } from '../api/ingress.ts'
import type { PolicyId } from '../table/policy.ts'
import type { Route, Upstream, VirtualHost } from '../table/routing-table.ts'
import { AnnotationIndex } from './annotation-index.ts'
import type { Diagnostics } from './diagnostics.ts'
import { judgeLogins, type AttachedEntry, type HostLogins, type SharingProblems } from './host-login.ts'
import type { HostOwners } from './host-ownership.ts'
import type { Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { compareText, sortedUnique } from './order.ts'
import { PluginAttacher, type Guard } from './plugin-attachment.ts'
import type { CompiledPlugin } from './plugins.ts'
import { resolveConflicts, type ResolvedRules } from './precedence.ts'
import { reportShadowedPaths } from './reserved-path.ts'
import { withTraffic } from './route-traffic.ts'
import { buildRoute, reportBackend, serviceKeyOf } from './route.ts'
import { collectRules, type PathEntry } from './rules.ts'
import { UpstreamResolver } from './upstream.ts'

/** What virtual hosts are compiled from. */
export interface VirtualHostInput {
  /** Oldest first. */
  readonly ingresses: readonly Ingress[]
  readonly owners: HostOwners
  readonly plugins: ReadonlyMap<PolicyId, CompiledPlugin>
  readonly inventory: Inventory
  readonly options: CompileOptions
  readonly diagnostics: Diagnostics
}

/** The virtual hosts, the upstreams that their routes lead to, and plugins that are refused on some hosts. */
export interface CompiledHosts {
  readonly virtualHosts: readonly VirtualHost[]
  readonly upstreams: readonly Upstream[]
  readonly sharing: SharingProblems
}

/** Compiles the Ingresses into virtual hosts, sorted by host. */
export function compileVirtualHosts(input: VirtualHostInput): CompiledHosts {
  const builder = new VirtualHostBuilder(input)
  const { ingresses, owners, diagnostics } = input
  const rules = collectRules(ingresses, owners, builder.annotations, diagnostics)
  const attached = rules.map((each) => builder.attach(resolveConflicts(each, diagnostics)))
  const virtualHosts = attached.map((host) => builder.build(host))
  return { virtualHosts, upstreams: builder.upstreams(), sharing: builder.sharing }
}

interface AttachedHost {
  readonly rules: ResolvedRules
  readonly logins: HostLogins
}

/** First attaches all, then builds: what a route removes depends on every plugin before its Service. */
class VirtualHostBuilder {
  readonly annotations: AnnotationIndex
  readonly sharing: SharingProblems = new Map()
  readonly #input: VirtualHostInput
  readonly #attacher: PluginAttacher
  readonly #resolver: UpstreamResolver
  readonly #mappedHeaders = new Map<string, Set<string>>()
  readonly #upstreams = new Map<string, Upstream>()

  constructor(input: VirtualHostInput) {
    const { plugins, inventory, options, diagnostics } = input
    this.#input = input
    this.annotations = new AnnotationIndex(diagnostics)
    // Read here once, so that a typo is told also where no route of the Ingress is left.
    for (const ingress of input.ingresses) this.annotations.of(ingress)
    this.#attacher = new PluginAttacher(plugins, this.annotations, options, diagnostics)
    this.#resolver = new UpstreamResolver(inventory, options, diagnostics)
  }

  attach(rules: ResolvedRules): AttachedHost {
    const attached = entriesOf(rules).map((entry) => this.#attachEntry(entry))
    const { plugins, diagnostics } = this.#input
    const logins = judgeLogins(rules.host, attached, plugins, this.sharing, diagnostics)
    reportShadowedPaths(logins, rules.entries, diagnostics)
    return { rules, logins }
  }

  build({ rules, logins }: AttachedHost): VirtualHost {
    const routes = entriesOf(rules).map((entry, index) =>
      this.#buildRoute(entry, rules.host, logins.guards[index]),
    )
    const hasHttpsLogin = routes.some((route) => isHttpsLogin(route, logins.loginPolicies))
    const defaultRoute = rules.defaultEntry && routes.pop()
    return {
      host: rules.host,
      routes,
      ...(defaultRoute && { defaultRoute }),
      loginPolicies: logins.loginPolicies,
      ...(hasHttpsLogin && { httpsLogin: true as const }),
      reservedClosed: logins.reservedClosed,
    }
  }

  upstreams(): Upstream[] {
    return [...this.#upstreams.values()].sort((a, b) => compareText(a.id, b.id))
  }

  #attachEntry(entry: PathEntry): AttachedEntry {
    const key = serviceKeyOf(entry)
    const service = key === undefined ? undefined : this.#input.inventory.services.get(key)
    const attachment = this.#attacher.attach({ ingress: entry.ingress, service, path: entry.path })
    if (key !== undefined) {
      const names = this.#mappedHeaders.get(key) ?? new Set()
      for (const name of attachment.named.flatMap(({ mappedHeaders }) => mappedHeaders)) names.add(name)
      this.#mappedHeaders.set(key, names)
    }
    return {
      entry,
      attachment:
        entry.refused === undefined ? attachment : { ...attachment, guard: refusedGuard(entry.refused) },
    }
  }

  #buildRoute(entry: PathEntry, host: string, guard: HostLogins['guards'][number] | undefined): Route {
    const backend = this.#resolver.resolve(entry.backend, entry.ingress.metadata.namespace)
    if (entry.refused === undefined) reportBackend(entry, backend, this.#input.diagnostics)
    const removeHeaders = sortedUnique(this.#mappedHeaders.get(serviceKeyOf(entry) ?? '') ?? [])
    const closed = { kind: 'closed', reason: 'IngressInvalid', message: 'The route has no guard.' } as const
    const annotations = this.annotations.of(entry.ingress)
    const route = buildRoute({ entry, host, annotations, guard: guard ?? closed, backend }, removeHeaders)
    if (backend.ok && route.action.kind === 'forward')
      this.#upstreams.set(backend.upstream.id, backend.upstream)
    const upstream = backend.ok ? backend.upstream : undefined
    return withTraffic(route, { ingress: entry.ingress, annotations, upstream }, this.#input.diagnostics)
  }
}

function isHttpsLogin({ action, sslRedirect }: Route, loginPolicies: readonly PolicyId[]): boolean {
  if (sslRedirect === undefined || action.kind === 'closed') return false
  return action.policies.some((id) => loginPolicies.includes(id))
}

function refusedGuard(message: string): Guard {
  return { kind: 'closed', reason: 'IngressInvalid', message }
}

/** The default last. */
function entriesOf({ entries, defaultEntry }: ResolvedRules): PathEntry[] {
  return defaultEntry === undefined ? [...entries] : [...entries, defaultEntry]
}
