import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ShardedMap } from '../../src/table/sharded-map.ts'

const step = fc.tuple(fc.constantFrom('set', 'delete'), fc.string({ maxLength: 3 }), fc.nat(9))

test('every version stays what it was, and equals a plain map', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 20 }), { maxLength: 8 }), (drafts) => {
      const plain = new Map<string, number>()
      let map = ShardedMap.empty<number>()
      const versions: { map: ShardedMap<number>; entries: [string, number][] }[] = []
      for (const steps of drafts) {
        const draft = map.draft()
        for (const [what, key, value] of steps) {
          if (what === 'set') {
            plain.set(key, value)
            draft.set(key, value)
          } else {
            plain.delete(key)
            draft.delete(key)
          }
        }
        map = draft.seal()
        versions.push({ map, entries: [...plain] })
      }
      for (const version of versions) {
        expect(new Map(version.map.entries())).toEqual(new Map(version.entries))
        expect(version.map.size).toBe(version.entries.length)
        for (const [key, value] of version.entries) expect(version.map.get(key)).toBe(value)
      }
    }),
    { numRuns: 100 },
  )
})

test('names that differ at one end only do not crowd together', () => {
  const draft = ShardedMap.empty<number>().draft()
  for (let index = 0; index < 10_000; index += 1) draft.set(`app-${index}.example.com`, index)
  const order = [...draft.seal().entries()].map(([, value]) => value)
  // Shard by shard: where all were in a few, they would come in the order in which they were set.
  const inOrder = order.filter((value, index) => index > 0 && value === (order[index - 1] ?? 0) + 1)
  expect(inOrder.length).toBeLessThan(200)
})
