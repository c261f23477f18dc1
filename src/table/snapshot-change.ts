import type { Policy } from './policy.ts'
import { isSameData } from './same-data.ts'
import type {
  Certificate,
  CompiledConsumer,
  Route,
  RoutingTable,
  Snapshot,
  Upstream,
  VirtualHost,
} from './routing-table.ts'

/** What the sections of a snapshot hold by key: each member of the table is one, and so are the secrets. */
export interface SnapshotSections {
  /** By host. */
  readonly virtualHosts: VirtualHost
  readonly upstreams: Upstream
  readonly policies: Policy
  /** By namespace. */
  readonly consumers: readonly CompiledConsumer[]
  readonly certificates: Certificate
  /** The certificate, by server name. */
  readonly serverNames: string
  readonly secrets: string
}

type SectionName = keyof RoutingTable | 'secrets'

/**
 * One step from one snapshot to another: an entry that is new or different, or one that is gone. A virtual host of many
 * routes comes in several steps, each of which adds routes behind those before it.
 */
export type SnapshotChange =
  | { readonly [S in SectionName]: SetEntry<S> }[SectionName]
  | { readonly kind: 'delete'; readonly section: SectionName; readonly key: string }
  | { readonly kind: 'routes'; readonly host: string; readonly routes: readonly Route[] }

interface SetEntry<S extends SectionName> {
  readonly kind: 'set'
  readonly section: S
  readonly key: string
  readonly value: SnapshotSections[S]
}

interface Section<Value> {
  /** What all entries are made of: the same object in two snapshots means that none differs. */
  readonly source: (snapshot: Snapshot) => unknown
  readonly entries: (snapshot: Snapshot) => Iterable<readonly [key: string, value: Value]>
}

/** A step holds no more routes than are taken in within a millisecond. */
const ROUTES_IN_STEP = 50

const SECTIONS: { readonly [S in SectionName]: Section<SnapshotSections[S]> } = {
  virtualHosts: {
    source: ({ table }) => table.virtualHosts,
    entries: ({ table }) => table.virtualHosts.map((host) => [host.host, host] as const),
  },
  serverNames: {
    source: ({ table }) => table.serverNames,
    entries: ({ table }) => table.serverNames.map(({ name, certificate }) => [name, certificate] as const),
  },
  upstreams: recordSection(({ table }) => table.upstreams),
  policies: recordSection(({ table }) => table.policies),
  consumers: recordSection(({ table }) => table.consumers),
  certificates: recordSection(({ table }) => table.certificates),
  secrets: recordSection(({ secrets }) => secrets),
}

function recordSection<Value>(
  source: (snapshot: Snapshot) => Readonly<Record<string, Value>>,
): Section<Value> {
  return { source, entries: (snapshot) => Object.entries(source(snapshot)) }
}

/**
 * All that differs between two snapshots but for version and session keys. What is one object in both is equal without
 * a look inside.
 *
 * @param before `undefined`: nothing at all, so that the changes are the whole of the other.
 */
export function* changesBetween(
  before: Snapshot | undefined,
  after: Snapshot,
): Generator<SnapshotChange, void, undefined> {
  for (const name of Object.keys(SECTIONS) as SectionName[]) {
    const section: Section<SnapshotSections[SectionName]> = SECTIONS[name]
    if (before !== undefined && section.source(before) === section.source(after)) continue
    const was = before === undefined ? [] : [...section.entries(before)]
    yield* changesOf(name, was, [...section.entries(after)])
  }
}

type Entries = readonly (readonly [key: string, value: SnapshotSections[SectionName]])[]

function* changesOf(
  name: SectionName,
  was: Entries,
  is: Entries,
): Generator<SnapshotChange, void, undefined> {
  // Mostly no key has come or gone, and then none needs to be looked up among ten thousand.
  if (was.length === is.length && is.every(([key], index) => was[index]?.[0] === key)) {
    for (const [index, [key, value]] of is.entries()) {
      if (!isSameData(was[index]?.[1], value)) yield* stepsTo(name, key, value)
    }
    return
  }
  const [before, after] = [firstByKey(was), firstByKey(is)]
  for (const [key, value] of after) {
    if (!isSameData(before.get(key), value)) yield* stepsTo(name, key, value)
  }
  for (const key of before.keys()) if (!after.has(key)) yield { kind: 'delete', section: name, key }
}

/** Of two entries with one key the first counts. */
function firstByKey<Value>(entries: Iterable<readonly [string, Value]>): Map<string, Value> {
  const byKey = new Map<string, Value>()
  for (const [key, value] of entries) if (!byKey.has(key)) byKey.set(key, value)
  return byKey
}

function* stepsTo(
  section: SectionName,
  key: string,
  value: SnapshotSections[SectionName],
): Generator<SnapshotChange, void, undefined> {
  if (section !== 'virtualHosts') {
    yield { kind: 'set', section, key, value } as SnapshotChange
    return
  }
  const host = value as VirtualHost
  const { routes } = host
  const isLong = routes.length > ROUTES_IN_STEP
  yield {
    kind: 'set',
    section,
    key,
    value: isLong ? { ...host, routes: routes.slice(0, ROUTES_IN_STEP) } : host,
  }
  for (let start = ROUTES_IN_STEP; start < routes.length; start += ROUTES_IN_STEP) {
    yield { kind: 'routes', host: key, routes: routes.slice(start, start + ROUTES_IN_STEP) }
  }
}
