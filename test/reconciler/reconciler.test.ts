import { expect, test } from 'vitest'
import { Bench, resultNamed, settle } from './setup.ts'

function names(bench: Bench): string[] {
  return bench.published.map(({ version, table }) => `${version} ${Object.keys(table.upstreams).join()}`)
}

test('nothing is compiled before the source has synced', async () => {
  const bench = new Bench()
  bench.isSynced = false
  await bench.change()
  expect(bench.compiles).toBe(0)
  bench.isSynced = true
  await bench.change()
  expect(names(bench)).toEqual(['1 a'])
  expect(bench.reconciler.current()).toBe(bench.published[0])
})

test('the snapshot holds the session keys by id, newest first, and a rotation is a new snapshot', async () => {
  const bench = new Bench()
  bench.compile = () => resultNamed('a', { secrets: { 'shop/okta/secret': 's' } })
  await bench.change()
  expect(bench.published[0]).toMatchObject({
    version: 1,
    secrets: { 'shop/okta/secret': 's', 'session-key/0': 'newest', 'session-key/1': 'oldest' },
    sessionKeys: ['session-key/0', 'session-key/1'],
  })
  bench.sessionKeys = () => ['fresh', 'newest']
  await bench.change()
  expect(bench.published[1]?.secrets['session-key/0']).toBe('fresh')
})

test('an equal table is not published again, whatever the order of its keys, but what was diagnosed is passed on', async () => {
  const bench = new Bench()
  bench.compile = () => resultNamed('a', { secrets: { x: '1', y: '2' } })
  await bench.change()
  const status = {
    kind: 'OIDCPlugin',
    namespace: 'n',
    name: 'p',
    observedGeneration: 2,
    conditions: [],
  } as const
  bench.compile = () => resultNamed('a', { secrets: { y: '2', x: '1' }, statuses: [status] })
  await bench.change()
  expect(names(bench)).toEqual(['1 a'])
  expect(bench.outcomes).toMatchObject([
    { outcome: 'published', snapshot: { version: 1 } },
    { outcome: 'unchanged', snapshot: { version: 1 }, result: { statuses: [status] } },
  ])
  bench.compile = () => resultNamed('a', { secrets: { x: '1', y: 'rotated' } })
  await bench.change()
  expect(names(bench)).toEqual(['1 a', '2 a'])
})

test('when compiling throws the last good snapshot stays, and the next change is compiled', async () => {
  const bench = new Bench()
  await bench.change()
  bench.compile = () => {
    throw new TypeError('hunter2 is not a function')
  }
  await bench.change()
  expect(bench.outcomes.at(-1)?.outcome).toBe('failed')
  expect(bench.reconciler.current().version).toBe(1)
  expect(bench.logged.at(-1)).toMatchObject({ level: 50, error: 'TypeError' })
  expect(JSON.stringify(bench.logged)).not.toContain('hunter2')
  bench.compile = () => resultNamed('b')
  await bench.change()
  expect(names(bench)).toEqual(['1 a', '2 b'])
})

test('a publish that fails is tried again, and going back to the last good table is published too', async () => {
  const bench = new Bench()
  await bench.change()
  bench.compile = () => resultNamed('b')
  bench.publish = () => Promise.reject(new Error('a thread died'))
  await bench.change()
  expect(bench.outcomes.at(-1)?.outcome).toBe('failed')
  expect(bench.reconciler.current().version).toBe(1)
  bench.publish = async () => {}
  bench.compile = () => resultNamed('a')
  await bench.advance(1030)
  expect(names(bench)).toEqual(['1 a', '2 b', '3 a'])
  expect(bench.reconciler.current().version).toBe(3)
})

test('publishes never overlap, and of what changes during one only the newest is published', async () => {
  const bench = new Bench()
  let count = 0
  bench.compile = () => resultNamed(`t${(count += 1)}`)
  const first = Promise.withResolvers<void>()
  bench.publish = () => first.promise
  await bench.change()
  await bench.change()
  await bench.change()
  expect(names(bench)).toEqual(['1 t1'])
  expect(bench.reconciler.current().version).toBe(0)
  first.resolve()
  await bench.advance(0)
  expect(names(bench)).toEqual(['1 t1', '2 t2'])
  expect(bench.reconciler.current().version).toBe(2)
})

test('a listener that throws is logged and does not end the loop', async () => {
  const bench = new Bench({
    reconciled: () => {
      throw new Error('hunter2')
    },
  })
  await bench.change()
  bench.compile = () => resultNamed('b')
  await bench.change()
  expect(names(bench)).toEqual(['1 a', '2 b'])
  expect(bench.logged.filter(({ level }) => level === 50)).toHaveLength(2)
  expect(JSON.stringify(bench.logged)).not.toContain('hunter2')
})

test('how long a pass goes on can be seen while it does', async () => {
  const bench = new Bench()
  const publish = Promise.withResolvers<void>()
  bench.publish = () => publish.promise
  expect(bench.reconciler.busyMs()).toBe(0)
  await bench.change()
  await bench.advance(60_000)
  expect(bench.reconciler.busyMs()).toBe(60_000)
  publish.resolve()
  await settle()
  expect(bench.reconciler.busyMs()).toBe(0)
})

test('stopping waits for the publish under way and begins no other', async () => {
  const bench = new Bench()
  const publish = Promise.withResolvers<void>()
  bench.publish = () => publish.promise
  await bench.change()
  bench.compile = () => resultNamed('b')
  await bench.change()
  const stopped = bench.reconciler.stop()
  bench.reconciler.changed()
  publish.resolve()
  await stopped
  await bench.advance(2000)
  expect(names(bench)).toEqual(['1 a'])
  expect(bench.timers.pending).toBe(0)
})
