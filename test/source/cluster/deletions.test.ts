import { expect, test } from 'vitest'
import { ObjectStore } from '../../../src/source/cluster/object-store.ts'
import { service, SERVICES } from './setup.ts'

function stamped(name: string, version: number): object {
  const object = service(name)
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}

test('a deletion outlives one bookmark, so that a late event brings nothing back, and is forgotten with the second', () => {
  const store = new ObjectStore(SERVICES)
  store.replace({ items: [], resourceVersion: '1' })
  store.change(stamped('a', 2))
  store.delete(stamped('a', 4))
  store.bookmark('5')
  expect(store.change(stamped('a', 3))).toBe('stale')
  expect(store.deletions).toBe(1)
  store.bookmark('6')
  expect(store.deletions).toBe(0)
})

test('what was deleted and made anew is there, and goes again', () => {
  const store = new ObjectStore(SERVICES)
  store.replace({ items: [], resourceVersion: '1' })
  store.change(stamped('a', 2))
  store.delete(stamped('a', 3))
  store.bookmark('3')
  expect(store.change(stamped('a', 4))).toBe('changed')
  expect(store.change(stamped('a', 3))).toBe('stale')
  expect([...store.objects()]).toHaveLength(1)
  expect(store.delete(stamped('a', 5))).toBe('changed')
})

test('deletions do not pile up, however many there are', () => {
  const store = new ObjectStore(SERVICES)
  store.replace({ items: [], resourceVersion: '0' })
  for (let version = 1; version <= 3000; version += 3) {
    store.change(stamped(`s${version}`, version))
    store.delete(stamped(`s${version}`, version + 1))
    if (version % 100 === 1) store.bookmark(String(version + 2))
  }
  // A hundred of them come between two bookmarks.
  expect(store.deletions).toBeLessThanOrEqual(200)
  store.replace({ items: [], resourceVersion: '4000' })
  expect(store.deletions).toBe(0)
})
