import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ObjectStore } from '../../../src/source/cluster/object-store.ts'
import { service, SERVICES } from './setup.ts'

/** A history of one collection: each step changes or deletes one object at the next version. */
const history = fc.array(
  fc.record({ name: fc.constantFrom('a', 'b', 'c'), isDeletion: fc.boolean(), value: fc.nat(99) }),
  { maxLength: 20 },
)

test('whatever order events come in, and however often, the newest form of each object is what is known', () => {
  const orders = history.chain((steps) => {
    const indices = steps.map((_, index) => index)
    const repeated = fc.shuffledSubarray([...indices, ...indices], {
      minLength: indices.length * 2,
    })
    return fc.tuple(fc.constant(steps), repeated)
  })
  fc.assert(
    fc.property(orders, ([steps, order]) => {
      const store = new ObjectStore(SERVICES)
      for (const index of order) {
        const { name, isDeletion, value } = steps[index]!
        const object = service(name, String(value))
        const raw = { ...object, metadata: { ...object.metadata, resourceVersion: String(9 + index) } }
        if (isDeletion) store.delete(raw)
        else store.change(raw)
      }
      const newest = new Map(steps.map((step) => [step.name, step]))
      const alive = [...newest.values()].filter((step) => !step.isDeletion)
      const expected = new Set(alive.map((step) => `${step.name}=${step.value}`))
      const actual = [...store.objects()].map((object) =>
        object.kind === 'Service' ? `${object.metadata.name}=${object.spec.externalName}` : '',
      )
      expect(new Set(actual)).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})
