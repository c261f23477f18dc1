import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PublicationReceiver, type Receipt } from '../../src/proxy/publication-receiver.ts'
import { PublicationSender } from '../../src/proxy/publication-sender.ts'
import type { Publication, PublicationPart } from '../../src/proxy/thread-messages.ts'
import { EMPTY_LIVE_TABLE, liveTableOf, type LiveTable } from '../../src/table/live-table.ts'
import { EMPTY_TABLE, type RoutingTable, type Snapshot } from '../../src/table/routing-table.ts'
import { changesBetween } from '../../src/table/snapshot-change.ts'
import { aPolicy } from '../support/a-policy.ts'
import { aHost, aRoute } from '../support/snapshot.ts'

/** A thread's side, with what it runs on, and a wire that a test can cut. */
class Thread {
  receiver = new PublicationReceiver(EMPTY_LIVE_TABLE, 0)
  live: LiveTable = EMPTY_LIVE_TABLE
  version = 0
  readonly sender: PublicationSender
  readonly parts: PublicationPart[] = []

  constructor() {
    this.sender = new PublicationSender(undefined, (part) => this.parts.push(structuredClone(part)))
  }

  /** Takes the next part that was sent. @returns Nothing where there is none. */
  step(alter: (part: PublicationPart) => PublicationPart = (part) => part): Receipt | undefined {
    const part = this.parts.shift()
    if (part === undefined) return undefined
    const receipt = this.receiver.take(alter(part))
    if (receipt.kind === 'more') this.sender.taken(part.sequence, part.index)
    else if (receipt.kind === 'outOfStep') this.sender.outOfStep(part.sequence)
    else {
      this.live = receipt.snapshot.live
      this.version = receipt.snapshot.version
      this.sender.published(part.sequence)
    }
    return receipt
  }

  finish(): void {
    while (this.step() !== undefined);
  }
}

function contentOf(live: LiveTable): object {
  const sorted = <Value>(map: { entries(): Iterable<[string, Value]> }): [string, Value][] =>
    [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1))
  const { exactHosts, wildcardHosts, upstreams, certificates, serverNames, secrets, judging } = live
  const sizes = [exactHosts, wildcardHosts, upstreams, certificates, serverNames, secrets].map(
    ({ size }) => size,
  )
  return {
    exactHosts: sorted(exactHosts),
    wildcardHosts: sorted(wildcardHosts),
    upstreams: sorted(upstreams),
    certificates: sorted(certificates),
    serverNames: sorted(serverNames),
    secrets: sorted(secrets),
    judging,
    sizes,
  }
}

const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor')
const record = <Value>(value: (key: string, n: number) => Value): fc.Arbitrary<Record<string, Value>> =>
  fc
    .uniqueArray(fc.tuple(key, fc.nat(2)), { selector: ([name]) => name, maxLength: 4 })
    .map((entries) => Object.fromEntries(entries.map(([name, n]) => [name, value(name, n)])))

const host = fc.constantFrom('', 'a.test', 'b.test', '*.test', '*.a.test').chain((name) =>
  fc.tuple(fc.constantFrom(0, 1, 3, 250), fc.nat(1), fc.boolean()).map(([count, n, hasDefault]) =>
    aHost(
      name,
      Array.from({ length: count }, (_, index) =>
        aRoute(`web-${n}`, { path: `/${index}`, pathType: index % 2 === 0 ? 'Exact' : 'Prefix' }),
      ),
      hasDefault ? { defaultRoute: aRoute('default') } : {},
    ),
  ),
)

const table: fc.Arbitrary<RoutingTable> = fc.record({
  virtualHosts: fc.uniqueArray(host, { selector: (each) => each.host, maxLength: 4 }),
  upstreams: record((id, n) => ({ id, endpoints: [{ address: '10.0.0.1', port: n + 1 }] })),
  policies: record((id, n) => aPolicy({ id, revision: String(n) })),
  consumers: record((_, n) => [{ id: String(n), groups: [] }]),
  certificates: record((id, n) => ({ id, certificateChainPem: String(n), privateKey: id })),
  serverNames: fc.uniqueArray(
    fc.record({ name: fc.constantFrom('', 'a.test', '*.test'), certificate: fc.constantFrom('a', 'b') }),
    { selector: ({ name }) => name },
  ),
})

const snapshots = fc
  .array(
    fc.tuple(
      table,
      record((_, n) => String(n)),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) =>
    all.map(([each, secrets], index): Snapshot => {
      return { version: index + 1, table: each, secrets, sessionKeys: [`key-${index}`] }
    }),
  )

/** Of every second one it is known what differs from the one before. */
function publicationOf(all: readonly Snapshot[], index: number): Publication {
  const [from, snapshot] = [all[index - 1], all[index] as Snapshot]
  const isKnown = from !== undefined && index % 2 === 1
  const difference = isKnown ? { from, changes: [...changesBetween(from, snapshot)] } : undefined
  return { sequence: index + 1, snapshot, ...(difference && { difference }) }
}

describe('a thread that follows publications by their differences', () => {
  test('has exactly what the whole snapshot would give, whatever it ran on before', () => {
    fc.assert(
      fc.property(snapshots, (all) => {
        const thread = new Thread()
        for (const [index, snapshot] of all.entries()) {
          thread.sender.publish(publicationOf(all, index))
          thread.finish()
          expect(thread.version).toBe(snapshot.version)
          expect(thread.sender.acknowledged).toBe(index + 1)
          expect(contentOf(thread.live)).toEqual(contentOf(liveTableOf(snapshot)))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('comes to the newest whatever is lost, repeated or published meanwhile, and never runs on a part', () => {
    const mishap = fc.constantFrom('none', 'none', 'restart', 'foreignBase', 'skip')
    fc.assert(
      fc.property(snapshots, fc.array(mishap, { maxLength: 12 }), fc.nat(3), (all, mishaps, steps) => {
        const thread = new Thread()
        const known = new Map(all.map((each) => [each.version, contentOf(liveTableOf(each))]))
        known.set(0, contentOf(EMPTY_LIVE_TABLE))
        for (const index of all.keys()) {
          thread.sender.publish(publicationOf(all, index))
          for (let step = 0; step < steps; step += 1) {
            const what = mishaps.shift()
            // What the thread had is gone, as where its memory was wrong.
            if (what === 'restart') thread.receiver = new PublicationReceiver(EMPTY_LIVE_TABLE, 0)
            thread.step((part) => {
              if (what === 'foreignBase' && part.base !== 0) return { ...part, base: part.base + 100 }
              return what === 'skip' && part.index > 0 ? { ...part, index: part.index + 1 } : part
            })
            expect(contentOf(thread.live)).toEqual(known.get(thread.version))
          }
        }
        thread.finish()
        const newest = all.at(-1)
        expect(thread.version).toBe(newest?.version)
        expect(contentOf(thread.live)).toEqual(known.get(thread.version))
      }),
      { numRuns: 80 },
    )
  })

  test('is sent what differs and nothing else', () => {
    const upstream = (port: number) => ({ id: 'u', endpoints: [{ address: '10.0.0.1', port }] })
    const hosts = Array.from({ length: 500 }, (_, index) => aHost(`h${index}.test`, [aRoute('web')]))
    const first: Snapshot = {
      version: 1,
      table: { ...EMPTY_TABLE, virtualHosts: hosts, upstreams: { u: upstream(1) } },
      secrets: {},
      sessionKeys: [],
    }
    const thread = new Thread()
    thread.sender.publish({ sequence: 1, snapshot: first })
    expect(thread.parts[0]?.last).toBeUndefined()
    thread.finish()
    // Equal hosts, but not the same objects.
    const next = {
      ...first,
      version: 2,
      table: { ...structuredClone(first.table), upstreams: { u: upstream(2) } },
    }
    thread.sender.publish({ sequence: 2, snapshot: next })
    expect(thread.parts).toEqual([
      {
        sequence: 2,
        base: 1,
        index: 0,
        changes: [{ kind: 'set', section: 'upstreams', key: 'u', value: upstream(2) }],
        last: { version: 2, sessionKeys: [] },
      },
    ])
    thread.finish()
    expect(thread.live.upstreams.get('u')).toEqual(upstream(2))
  })

  test('keeps judging by the same object where only endpoints changed', () => {
    const at = (port: number): Snapshot => ({
      version: port,
      table: {
        ...EMPTY_TABLE,
        policies: { p: aPolicy({ id: 'p' }) },
        upstreams: { u: { id: 'u', endpoints: [{ address: '10.0.0.1', port }] } },
      },
      secrets: {},
      sessionKeys: [],
    })
    const thread = new Thread()
    thread.sender.publish({ sequence: 1, snapshot: at(1) })
    thread.finish()
    const { judging } = thread.live
    thread.sender.publish({ sequence: 2, snapshot: at(2) })
    thread.finish()
    expect(thread.live.judging).toBe(judging)
  })

  test('dies of a whole that it cannot take, rather than going on without it', () => {
    const receiver = new PublicationReceiver(EMPTY_LIVE_TABLE, 0)
    const changes = [{ kind: 'routes', host: 'never.test', routes: [] }] as const
    expect(() => receiver.take({ sequence: 1, base: 0, index: 0, changes })).toThrow('before their host')
  })

  test('asks for the whole where it cannot take a difference', () => {
    const receiver = new PublicationReceiver(EMPTY_LIVE_TABLE, 7)
    const changes = [{ kind: 'routes', host: 'never.test', routes: [] }] as const
    expect(receiver.take({ sequence: 8, base: 7, index: 0, changes })).toEqual({ kind: 'outOfStep' })
  })
})
