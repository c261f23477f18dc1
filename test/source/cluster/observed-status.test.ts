import { expect, test } from 'vitest'
import { ObjectStore } from '../../../src/source/cluster/object-store.ts'
import { PLUGINS, service, SERVICES } from './setup.ts'

interface Shape {
  readonly version: string
  readonly generation?: number
  readonly issuer?: string
  readonly accepted?: string
}

function plugin({ version, generation = 1, issuer = 'https://issuer.example', accepted }: Shape): object {
  const manager = { manager: 'ostiary/a/b', operation: 'Apply', subresource: 'status' }
  return {
    metadata: {
      name: 'okta',
      namespace: 'shop',
      uid: 'u1',
      generation,
      resourceVersion: version,
      managedFields: [{ manager: 'kubectl', operation: 'Update' }, ...(accepted ? [manager] : [])],
    },
    spec: { issuer },
    ...(accepted && { status: { conditions: [{ type: 'Accepted', status: accepted }] } }),
  }
}

test('a change of the status alone is seen, but is no change of what is compiled', () => {
  const store = new ObjectStore(PLUGINS)
  expect(store.change(plugin({ version: '1' }))).toBe('changed')
  const [before] = store.objects()
  expect(store.change(plugin({ version: '2', accepted: 'True' }))).toBe('status')
  expect([...store.objects()]).not.toContain(before)
  expect(store.find({ namespace: 'shop', name: 'okta' })).toEqual({
    kind: 'OIDCPlugin',
    namespace: 'shop',
    name: 'okta',
    uid: 'u1',
    resourceVersion: '2',
    status: { conditions: [{ type: 'Accepted', status: 'True' }] },
    statusManagers: ['ostiary/a/b'],
  })
  expect(store.change(plugin({ version: '1', accepted: 'False' }))).toBe('stale')
})

test('a change of spec or metadata is a change, even where only a refused field differs', () => {
  const store = new ObjectStore(PLUGINS)
  store.change(plugin({ version: '1' }))
  expect(store.change(plugin({ version: '2', generation: 2, issuer: 'https://other.example' }))).toBe(
    'changed',
  )
  expect(store.change(plugin({ version: '3', generation: 3, issuer: 'no url' }))).toBe('changed')
  expect(store.change(plugin({ version: '4', generation: 4, issuer: 'no url' }))).toBe('changed')
})

test('of a kind whose status nobody here writes, every event is a change', () => {
  const store = new ObjectStore(SERVICES)
  const stamped = (resourceVersion: string) => {
    const object = service('a')
    return { ...object, metadata: { ...object.metadata, resourceVersion, uid: 'u2' }, status: {} }
  }
  expect(store.change(stamped('1'))).toBe('changed')
  expect(store.change(stamped('2'))).toBe('changed')
  expect(store.find({ namespace: 'shop', name: 'a' })).toMatchObject({ uid: 'u2', statusManagers: [] })
  store.delete(stamped('3'))
  expect(store.find({ namespace: 'shop', name: 'a' })).toBeUndefined()
})
