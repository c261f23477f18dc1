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

/** What differs between two snapshots. */
export interface SnapshotDifference {
  readonly from: Snapshot
  readonly changes: readonly SnapshotChange[]
}

interface Section<Value> {
  /** What all entries are made of: the same object in two snapshots means that none differs. */
  readonly source: (snapshot: Snapshot) => unknown
  readonly entries: (snapshot: Snapshot) => Entries<Value>
}

/** Keys and values in one order. No pair is made of them: there may be ten thousand, and mostly one is different. */
interface Entries<Value> {
  readonly keys: readonly string[]
  /** Given a key's place among them. */
  readonly valueAt: (index: number) => Value
}

/** A step holds no more routes than are taken in within a millisecond. */
const ROUTES_IN_STEP = 50

const SECTIONS: { readonly [S in SectionName]: Section<SnapshotSections[S]> } = {
  virtualHosts: listSection(
    ({ table }) => table.virtualHosts,
    ({ host }) => host,
    (virtualHost) => virtualHost,
  ),
  serverNames: listSection(
    ({ table }) => table.serverNames,
    ({ name }) => name,
    ({ certificate }) => certificate,
  ),
  upstreams: recordSection(({ table }) => table.upstreams),
  policies: recordSection(({ table }) => table.policies),
  consumers: recordSection(({ table }) => table.consumers),
  certificates: recordSection(({ table }) => table.certificates),
  secrets: recordSection(({ secrets }) => secrets),
}

function listSection<Item, Value>(
  source: (snapshot: Snapshot) => readonly Item[],
  keyOf: (item: Item) => string,
  valueOf: (item: Item) => Value,
): Section<Value> {
  return {
    source,
    entries(snapshot) {
      const items = source(snapshot)
      return { keys: items.map(keyOf), valueAt: (index) => valueOf(items[index] as Item) }
    },
  }
}

function recordSection<Value>(
  source: (snapshot: Snapshot) => Readonly<Record<string, Value>>,
): Section<Value> {
  return {
    source,
    entries(snapshot) {
      const record = source(snapshot)
      const keys = Object.keys(record)
      return { keys, valueAt: (index) => record[keys[index] as string] as Value }
    },
  }
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
    const was = before === undefined ? NO_ENTRIES : section.entries(before)
    yield* changesOf(name, was, section.entries(after))
  }
}

type AnyEntries = Entries<SnapshotSections[SectionName]>

const NO_ENTRIES: AnyEntries = {
  keys: [],
  valueAt() {
    throw new RangeError('there are no entries')
  },
}

function* changesOf(
  name: SectionName,
  was: AnyEntries,
  is: AnyEntries,
): Generator<SnapshotChange, void, undefined> {
  // Mostly no key has come or gone, and then none needs to be looked up among ten thousand.
  if (was.keys.length === is.keys.length && is.keys.every((key, index) => was.keys[index] === key)) {
    for (const [index, key] of is.keys.entries()) {
      const value = is.valueAt(index)
      if (!isSameData(was.valueAt(index), value)) yield* stepsTo(name, key, value)
    }
    return
  }
  const [before, after] = [firstPlaces(was.keys), firstPlaces(is.keys)]
  for (const [key, index] of after) {
    const value = is.valueAt(index)
    const place = before.get(key)
    if (place === undefined || !isSameData(was.valueAt(place), value)) yield* stepsTo(name, key, value)
  }
  for (const key of before.keys()) if (!after.has(key)) yield { kind: 'delete', section: name, key }
}

/** Of two entries with one key the first counts. */
function firstPlaces(keys: readonly string[]): Map<string, number> {
  const places = new Map<string, number>()
  for (const [index, key] of keys.entries()) if (!places.has(key)) places.set(key, index)
  return places
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
