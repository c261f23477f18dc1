import type { Annotations } from '../api/annotations.ts'
import type { Ingress } from '../api/ingress.ts'
import type { PolicyId } from '../table/policy.ts'
import type { ClientAuthorities, Route, Upstream, VirtualHost } from '../table/routing-table.ts'
import { AnnotationIndex } from './annotation-index.ts'
import { canaryKeyOf, compileCanary } from './canary.ts'
import { ClientCertificates } from './client-certificates.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics } from './diagnostics.ts'
import { compileForwarding } from './forwarding.ts'
import { judgeLogins, type AttachedEntry, type HostLogins, type SharingProblems } from './host-login.ts'
import type { HostOwners } from './host-ownership.ts'
import type { HostInventory, Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { sortedUnique } from './order.ts'
import { PluginAttacher, type Guard } from './plugin-attachment.ts'
import type { Lookup } from './pass-memo.ts'
import type { CompiledPlugin } from './plugins.ts'
import { resolveConflicts, type ResolvedRules } from './precedence.ts'
import { reportShadowedPaths } from './reserved-path.ts'
import { withTraffic } from './route-traffic.ts'
import { buildRoute, reportBackend, serviceKeyOf, type Way } from './route.ts'
import { collectRules, type HostRules, type PathEntry } from './rules.ts'
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
  readonly memo: CompileMemo
}

/** The virtual hosts, the upstreams that their routes lead to, and plugins that are refused on some hosts. */
export interface CompiledHosts {
  readonly virtualHosts: readonly VirtualHost[]
  /** Each once. */
  readonly upstreams: readonly Upstream[]
  /** What the upstreams' settings refer to. */
  readonly secrets: readonly (readonly [id: string, value: string])[]
  readonly sharing: SharingProblems
}

/** What guards a host is found in, beside its rules. */
export interface AttachSources extends Pick<HostInventory, 'services' | 'secrets'> {
  readonly plugins: Lookup<CompiledPlugin>
}

/** What a host is compiled from beside its rules. */
export interface HostSources extends AttachSources, HostInventory {}

/** A host with what guards it, and what it says of Services that other hosts lead to as well. */
export interface AttachedHost {
  readonly rules: ResolvedRules
  /** Whose client certificates are asked for. */
  readonly authorities: ClientAuthorities | undefined
  readonly logins: HostLogins
  readonly sharing: SharingProblems
  /** Request headers that upstreams take from plugins for true, by Service. */
  readonly mappedHeaders: readonly (readonly [service: string, names: readonly string[]])[]
}

/** A virtual host and what its routes lead to. */
export interface BuiltHost {
  readonly virtualHost: VirtualHost
  readonly upstreams: readonly Upstream[]
  readonly secrets: CompiledHosts['secrets']
}

/**
 * Compiles the Ingresses into virtual hosts, sorted by host. First attaches all, then builds: what a route removes
 * depends on every plugin before its Service.
 */
export function compileVirtualHosts(input: VirtualHostInput): CompiledHosts {
  const { ingresses, owners, inventory, plugins, options, diagnostics, memo } = input
  memo.list('annotations', [ingresses], diagnostics, (found) => reportAnnotations(ingresses, memo, found))
  const { services, endpointSlices, secrets } = inventory
  const attaching: AttachSources = { services, secrets, plugins }
  const rulesOfHosts = memo.list('rules', [ingresses, owners], diagnostics, (found) =>
    collectRules(ingresses, owners, memo, found),
  )
  const everything = [rulesOfHosts, services, secrets, plugins]
  const attached = memo.list('attached', everything, diagnostics, (all) =>
    rulesOfHosts.map((rules) => {
      // No rule is `undefined`: it parts the two lists.
      const inputs = [...rules.entries, undefined, ...rules.defaults]
      const surroundings = { sources: attaching, diagnostics: all }
      return memo.attachedHosts.run(rules.host, inputs, surroundings, (sources, found) =>
        new HostAttacher({ sources, options, diagnostics: found, memo }).attach(rules),
      )
    }),
  )
  const mappedHeaders = memo.list('mapped headers', [attached], diagnostics, () =>
    joinMappedHeaders(attached),
  )
  const surroundings = { sources: { ...attaching, endpointSlices, mappedHeaders }, diagnostics }
  const built = attached.map((host) =>
    memo.builtHosts.run(host.rules.host, [host], surroundings, (sources, found) => {
      const builder = new HostBuilder({ sources, options, diagnostics: found, memo })
      return builder.build(host, sources.mappedHeaders)
    }),
  )
  return {
    virtualHosts: built.map(({ virtualHost }) => virtualHost),
    upstreams: distinctUpstreams(built),
    secrets: built.flatMap((host) => host.secrets),
    sharing: memo.list('sharing', [attached], diagnostics, () => joinSharing(attached)),
  }
}

/** Once for each Ingress, so that a typo is told also where no route of it is left. */
function reportAnnotations(
  ingresses: readonly Ingress[],
  memo: CompileMemo,
  diagnostics: Diagnostics,
): readonly Ingress[] {
  const annotations = new AnnotationIndex(diagnostics, memo)
  for (const ingress of ingresses) annotations.of(ingress)
  return ingresses
}

/** By Service, as one text, so that equal ones are the same. No header name has a comma. */
function joinMappedHeaders(attached: readonly AttachedHost[]): Map<string, string> {
  const byService = new Map<string, string[]>()
  for (const { mappedHeaders } of attached) {
    for (const [service, names] of mappedHeaders) {
      byService.set(service, sortedUnique([...(byService.get(service) ?? []), ...names]))
    }
  }
  return new Map([...byService].map(([service, names]) => [service, names.join()]))
}

function joinSharing(attached: readonly AttachedHost[]): SharingProblems {
  const all: SharingProblems = new Map()
  for (const { sharing } of attached) {
    for (const [id, problems] of sharing) all.set(id, [...(all.get(id) ?? []), ...problems])
  }
  return all
}

function distinctUpstreams(built: readonly BuiltHost[]): Upstream[] {
  const byId = new Map<string, Upstream>()
  for (const { upstreams } of built) for (const upstream of upstreams) byId.set(upstream.id, upstream)
  return [...byId.values()]
}

/** What a host is compiled with. */
interface HostInput<S extends AttachSources = HostSources> {
  readonly sources: S
  readonly options: CompileOptions
  readonly diagnostics: Diagnostics
  readonly memo: CompileMemo
}

/** `namespace/name` of the Service that an entry leads to, and of that one's canary. */
function serviceKeysOf(
  entry: PathEntry,
  services: HostSources['services'],
  annotations: AnnotationIndex,
): string[] {
  const key = serviceKeyOf(entry)
  if (key === undefined) return []
  const canary = canaryKeyOf(services.get(key), annotations)
  return canary === undefined ? [key] : [key, canary]
}

class HostAttacher {
  readonly #input: HostInput<AttachSources>
  readonly #annotations: AnnotationIndex
  readonly #attacher: PluginAttacher
  readonly #clientCertificates: ClientCertificates
  readonly #mappedHeaders = new Map<string, string[]>()

  constructor(input: HostInput<AttachSources>) {
    const { sources, options, diagnostics, memo } = input
    this.#input = input
    this.#annotations = new AnnotationIndex(diagnostics, memo)
    this.#attacher = new PluginAttacher(sources.plugins, this.#annotations, options, diagnostics)
    this.#clientCertificates = new ClientCertificates(sources.secrets, this.#annotations, {
      diagnostics,
      memo,
    })
  }

  attach(written: HostRules): AttachedHost {
    const { sources, diagnostics } = this.#input
    const rules = resolveConflicts(written, diagnostics)
    const entries = entriesOf(rules)
    const authorities = this.#clientCertificates.ofHost(entries.map(({ ingress }) => ingress))
    const attached = entries.map((entry) => this.#attachEntry(entry, authorities))
    const sharing: SharingProblems = new Map()
    const logins = judgeLogins(rules.host, attached, sources.plugins, sharing, diagnostics)
    reportShadowedPaths(logins, rules.entries, diagnostics)
    return { rules, authorities, logins, sharing, mappedHeaders: [...this.#mappedHeaders] }
  }

  #attachEntry(entry: PathEntry, authorities: ClientAuthorities | undefined): AttachedEntry {
    const { ingress, path } = entry
    const { services } = this.#input.sources
    const keys = serviceKeysOf(entry, services, this.#annotations)
    const [service, canary] = keys.map((key) => services.get(key))
    const attachment = this.#attacher.attach({ ingress, service, canary, path })
    const names = attachment.named.flatMap(({ mappedHeaders }) => mappedHeaders)
    if (names.length > 0) {
      for (const key of keys)
        this.#mappedHeaders.set(key, [...(this.#mappedHeaders.get(key) ?? []), ...names])
    }
    const guard = this.#closedGuard(entry, authorities)
    return { entry, attachment: guard === undefined ? attachment : { ...attachment, guard } }
  }

  #closedGuard(
    { ingress, refused }: PathEntry,
    authorities: ClientAuthorities | undefined,
  ): Guard | undefined {
    if (refused !== undefined) return refusedGuard(refused)
    const closing = this.#clientCertificates.closing(ingress, authorities)
    return closing && { kind: 'closed', ...closing }
  }
}

class HostBuilder {
  readonly #input: HostInput
  readonly #annotations: AnnotationIndex
  readonly #resolver: UpstreamResolver
  readonly #upstreams = new Map<string, Upstream>()

  constructor(input: HostInput) {
    const { sources, options, diagnostics, memo } = input
    this.#input = input
    this.#annotations = new AnnotationIndex(diagnostics, memo)
    this.#resolver = new UpstreamResolver(sources, options, this.#annotations, { diagnostics, memo })
  }

  build({ rules, authorities, logins }: AttachedHost, mappedHeaders: Lookup<string>): BuiltHost {
    const routes = entriesOf(rules).map((entry, index) =>
      this.#buildRoute(entry, rules.host, logins.guards[index], mappedHeaders),
    )
    const hasHttpsLogin = routes.some((route) => isHttpsLogin(route, logins.loginPolicies))
    const defaultRoute = rules.defaultEntry && routes.pop()
    const virtualHost = {
      host: rules.host,
      routes,
      ...(defaultRoute && { defaultRoute }),
      loginPolicies: logins.loginPolicies,
      ...(hasHttpsLogin && { httpsLogin: true as const }),
      ...(authorities && { clientAuthorities: authorities }),
      reservedClosed: logins.reservedClosed,
    }
    return { virtualHost, upstreams: [...this.#upstreams.values()], secrets: this.#secrets() }
  }

  /** Only of upstreams that a route leads to. */
  #secrets(): CompiledHosts['secrets'] {
    const used = new Set(
      [...this.#upstreams.values()].flatMap(
        ({ settings }) => settings?.tls?.clientCertificate?.privateKey ?? [],
      ),
    )
    return this.#resolver.secrets().filter(([id]) => used.has(id))
  }

  #buildRoute(
    entry: PathEntry,
    host: string,
    guard: HostLogins['guards'][number] | undefined,
    mappedHeaders: Lookup<string>,
  ): Route {
    const { diagnostics, sources } = this.#input
    const backend = this.#resolver.resolve(entry.backend, entry.ingress.metadata.namespace)
    if (entry.refused === undefined) reportBackend(entry, backend, diagnostics)
    const keys = serviceKeysOf(entry, sources.services, this.#annotations)
    const removeHeaders = sortedUnique(keys.flatMap((key) => mappedHeaders.get(key)?.split(',') ?? []))
    const closed = { kind: 'closed', reason: 'IngressInvalid', message: 'The route has no guard.' } as const
    const annotations = this.#annotations.of(entry.ingress)
    const way = this.#wayOf(entry, annotations, backend)
    const parts = { entry, host, annotations, guard: guard ?? closed, backend, ...way }
    const upstream = backend.ok ? backend.upstream : undefined
    const traffic = { ingress: entry.ingress, annotations, upstream }
    const route = withTraffic(buildRoute(parts, removeHeaders), traffic, diagnostics)
    if (route.action.kind === 'closed') return route
    for (const each of [upstream, way.canary?.upstream]) {
      if (each !== undefined) this.#upstreams.set(each.id, each)
    }
    return route
  }

  #wayOf({ backend }: PathEntry, { forwarding }: Annotations, reading: BackendReading): Way {
    if (!reading.ok) return {}
    const { service, upstream } = reading
    const settings = compileForwarding(forwarding, this.#annotations.of(service).forwarding, upstream.id)
    const canary = compileCanary(
      { service, backend, forwarding },
      this.#annotations,
      this.#resolver,
      this.#input.diagnostics,
    )
    return { ...(settings && { forwarding: settings }), ...(canary && { canary }) }
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
