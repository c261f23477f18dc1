import { assertNever } from '../assert-never.ts'
import type { Policy, PolicyId } from './policy.ts'
import { HostIndexer, type IndexedHost, type RouteIndex } from './route-index.ts'
import type {
  Certificate,
  CompiledConsumer,
  Route,
  Snapshot,
  Upstream,
  VirtualHost,
  JudgingTable,
} from './routing-table.ts'
import { ShardedMap, type ShardedMapDraft } from './sharded-map.ts'
import { changesBetween, type SnapshotChange } from './snapshot-change.ts'

/**
 * A routing table and its secrets as a proxy thread has them: arranged for look-ups, immutable, and sharing with the
 * version before it whatever did not change.
 */
export interface LiveTable extends RouteIndex, Sections {
  readonly exactHosts: ShardedMap<IndexedHost>
  readonly wildcardHosts: ShardedMap<IndexedHost>
  /** The same object as before where neither policies nor consumers changed. */
  readonly judging: JudgingTable
}

export const EMPTY_LIVE_TABLE: LiveTable = {
  exactHosts: ShardedMap.empty(),
  wildcardHosts: ShardedMap.empty(),
  upstreams: ShardedMap.empty(),
  certificates: ShardedMap.empty(),
  serverNames: ShardedMap.empty(),
  secrets: ShardedMap.empty(),
  judging: { policies: {}, consumers: {} },
}

interface Sharded {
  readonly exactHosts: IndexedHost
  readonly wildcardHosts: IndexedHost
  readonly upstreams: Upstream
  readonly certificates: Certificate
  /** The id of the certificate, by server name. */
  readonly serverNames: string
  readonly secrets: string
}

type Sections = { readonly [S in keyof Sharded]: ShardedMap<Sharded[S]> }
type Drafts = { -readonly [S in keyof Sharded]?: ShardedMapDraft<Sharded[S]> }

/**
 * The next version of a live table, while it is made of changes that come one by one. Nothing of it is seen before it
 * is sealed.
 */
export class LiveTableDraft {
  readonly #before: LiveTable
  readonly #drafts: Drafts = {}
  readonly #indexers = new Map<string, HostIndexer>()
  #policies: Map<PolicyId, Policy> | undefined
  #consumers: Map<string, readonly CompiledConsumer[]> | undefined

  constructor(before: LiveTable) {
    this.#before = before
  }

  /** Takes as long as the change is large, whatever the size of the table. */
  apply(change: SnapshotChange): void {
    if (change.kind === 'routes') this.#addRoutes(change.host, change.routes)
    else if (change.kind === 'delete') this.#delete(change)
    else this.#set(change)
  }

  /** The draft must not be changed after this. */
  seal(): LiveTable {
    const { judging } = this.#before
    const policies = this.#policies === undefined ? judging.policies : Object.fromEntries(this.#policies)
    const consumers = this.#consumers === undefined ? judging.consumers : Object.fromEntries(this.#consumers)
    const isJudgedAlike = policies === judging.policies && consumers === judging.consumers
    return {
      exactHosts: this.#sealed('exactHosts'),
      wildcardHosts: this.#sealed('wildcardHosts'),
      upstreams: this.#sealed('upstreams'),
      certificates: this.#sealed('certificates'),
      serverNames: this.#sealed('serverNames'),
      secrets: this.#sealed('secrets'),
      judging: isJudgedAlike ? judging : { policies, consumers },
    }
  }

  #sealed<S extends keyof Sharded>(section: S): ShardedMap<Sharded[S]> {
    const drafts: { readonly [K in S]?: ShardedMapDraft<Sharded[K]> } = this.#drafts
    const before: Sections = this.#before
    return drafts[section]?.seal() ?? before[section]
  }

  #set(change: Extract<SnapshotChange, { kind: 'set' }>): void {
    const { key } = change
    switch (change.section) {
      case 'virtualHosts':
        this.#setHost(key, change.value)
        return
      case 'upstreams':
        this.#draft('upstreams').set(key, change.value)
        return
      case 'certificates':
        this.#draft('certificates').set(key, change.value)
        return
      case 'serverNames':
      case 'secrets':
        this.#draft(change.section).set(key, change.value)
        return
      case 'policies':
        this.#ownPolicies().set(key, change.value)
        return
      case 'consumers':
        this.#ownConsumers().set(key, change.value)
        return
      default:
        assertNever(change)
    }
  }

  #delete({ section, key }: Extract<SnapshotChange, { kind: 'delete' }>): void {
    switch (section) {
      case 'virtualHosts':
        this.#hosts(key).delete(hostKey(key))
        return
      case 'policies':
        this.#ownPolicies().delete(key)
        return
      case 'consumers':
        this.#ownConsumers().delete(key)
        return
      case 'upstreams':
      case 'certificates':
      case 'serverNames':
      case 'secrets':
        this.#draft(section).delete(key)
    }
  }

  #setHost(host: string, virtualHost: VirtualHost): void {
    const indexer = new HostIndexer(virtualHost)
    this.#indexers.set(host, indexer)
    this.#hosts(host).set(hostKey(host), indexer.indexed)
  }

  #addRoutes(host: string, routes: readonly Route[]): void {
    const indexer = this.#indexers.get(host)
    if (indexer === undefined) throw new TypeError('routes came before their host')
    indexer.add(routes)
  }

  #hosts(host: string): ShardedMapDraft<IndexedHost> {
    return this.#draft(host.startsWith('*.') ? 'wildcardHosts' : 'exactHosts')
  }

  #draft<S extends keyof Sharded>(section: S): ShardedMapDraft<Sharded[S]> {
    const drafts: { [K in S]?: ShardedMapDraft<Sharded[K]> } = this.#drafts
    const before: Sections = this.#before
    return (drafts[section] ??= before[section].draft())
  }

  #ownPolicies(): Map<PolicyId, Policy> {
    this.#policies ??= new Map(Object.entries(this.#before.judging.policies))
    return this.#policies
  }

  #ownConsumers(): Map<string, readonly CompiledConsumer[]> {
    this.#consumers ??= new Map(Object.entries(this.#before.judging.consumers))
    return this.#consumers
  }
}

/** `*.example.com` is looked up by `.example.com`. */
function hostKey(host: string): string {
  return host.startsWith('*.') ? host.slice(1) : host
}

/** The whole of a snapshot. */
export function liveTableOf(snapshot: Snapshot): LiveTable {
  const draft = new LiveTableDraft(EMPTY_LIVE_TABLE)
  for (const change of changesBetween(undefined, snapshot)) draft.apply(change)
  return draft.seal()
}

/** Every route, in no order. */
export function* routesOf({ exactHosts, wildcardHosts }: LiveTable): Generator<Route, void, undefined> {
  for (const hosts of [exactHosts, wildcardHosts]) {
    for (const [, { virtualHost }] of hosts.entries()) {
      yield* virtualHost.routes
      if (virtualHost.defaultRoute !== undefined) yield virtualHost.defaultRoute
    }
  }
}
