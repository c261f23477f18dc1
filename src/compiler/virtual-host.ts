import type { Annotations } from '../api/annotations.ts'
import type { Ingress } from '../api/ingress.ts'
import type { PolicyId } from '../table/policy.ts'
import type { Route, Upstream, VirtualHost } from '../table/routing-table.ts'
import { AnnotationIndex } from './annotation-index.ts'
import { canaryKeyOf, compileCanary } from './canary.ts'
import type { Diagnostics } from './diagnostics.ts'
import { compileForwarding } from './forwarding.ts'
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
import { buildRoute, reportBackend, serviceKeyOf, type Way } from './route.ts'
import { collectRules, type PathEntry } from './rules.ts'
import { UpstreamResolver, type BackendReading } from './upstream.ts'

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
  /** What the upstreams' settings refer to. */
  readonly secrets: readonly (readonly [id: string, value: string])[]
  readonly sharing: SharingProblems
}

/** Compiles the Ingresses into virtual hosts, sorted by host. */
export function compileVirtualHosts(input: VirtualHostInput): CompiledHosts {
  const builder = new VirtualHostBuilder(input)
  const { ingresses, owners, diagnostics } = input
  const rules = collectRules(ingresses, owners, builder.annotations, diagnostics)
  const attached = rules.map((each) => builder.attach(resolveConflicts(each, diagnostics)))
  const virtualHosts = attached.map((host) => builder.build(host))
  const [upstreams, secrets] = [builder.upstreams(), builder.secrets()]
  return { virtualHosts, upstreams, secrets, sharing: builder.sharing }
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
    this.#resolver = new UpstreamResolver(inventory, options, this.annotations, diagnostics)
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

  /** Only of upstreams that a route leads to. */
  secrets(): CompiledHosts['secrets'] {
    const used = new Set(
      [...this.#upstreams.values()].flatMap(
        ({ settings }) => settings?.tls?.clientCertificate?.privateKey ?? [],
      ),
    )
    return this.#resolver.secrets().filter(([id]) => used.has(id))
  }

  #attachEntry(entry: PathEntry): AttachedEntry {
    const { ingress, path } = entry
    const keys = this.#serviceKeysOf(entry)
    const [service, canary] = keys.map((key) => this.#input.inventory.services.get(key))
    const attachment = this.#attacher.attach({ ingress, service, canary, path })
    for (const each of keys) {
      const names = this.#mappedHeaders.get(each) ?? new Set()
      for (const name of attachment.named.flatMap(({ mappedHeaders }) => mappedHeaders)) names.add(name)
      this.#mappedHeaders.set(each, names)
    }
    return {
      entry,
      attachment:
        entry.refused === undefined ? attachment : { ...attachment, guard: refusedGuard(entry.refused) },
    }
  }

  #buildRoute(entry: PathEntry, host: string, guard: HostLogins['guards'][number] | undefined): Route {
    const { diagnostics } = this.#input
    const backend = this.#resolver.resolve(entry.backend, entry.ingress.metadata.namespace)
    if (entry.refused === undefined) reportBackend(entry, backend, diagnostics)
    const removeHeaders = sortedUnique(
      this.#serviceKeysOf(entry).flatMap((key) => [...(this.#mappedHeaders.get(key) ?? [])]),
    )
    const closed = { kind: 'closed', reason: 'IngressInvalid', message: 'The route has no guard.' } as const
    const annotations = this.annotations.of(entry.ingress)
    const way = this.#wayOf(entry, annotations, backend)
    const parts = { entry, host, annotations, guard: guard ?? closed, backend, ...way }
    const route = buildRoute(parts, removeHeaders)
    if (backend.ok && route.action.kind === 'forward') {
      for (const upstream of [backend.upstream, way.canary?.upstream]) {
        if (upstream !== undefined) this.#upstreams.set(upstream.id, upstream)
      }
    }
    const upstream = backend.ok ? backend.upstream : undefined
    return withTraffic(route, { ingress: entry.ingress, annotations, upstream }, this.#input.diagnostics)
  }

  #wayOf({ backend }: PathEntry, { forwarding }: Annotations, reading: BackendReading): Way {
    if (!reading.ok) return {}
    const { service, upstream } = reading
    const settings = compileForwarding(forwarding, this.annotations.of(service).forwarding, upstream.id)
    const canary = compileCanary(
      { service, backend, forwarding },
      this.annotations,
      this.#resolver,
      this.#input.diagnostics,
    )
    return { ...(settings && { forwarding: settings }), ...(canary && { canary }) }
  }

  /** Of the Service that an entry leads to, and of that one's canary. */
  #serviceKeysOf(entry: PathEntry): string[] {
    const key = serviceKeyOf(entry)
    if (key === undefined) return []
    const canary = canaryKeyOf(this.#input.inventory.services.get(key), this.annotations)
    return canary === undefined ? [key] : [key, canary]
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
