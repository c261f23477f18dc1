import { describe, expect, test } from 'vitest'
import { notLive, notReady, notStarted, type RunState } from '../../src/commands/health.ts'

const THREADS: NonNullable<RunState['threads']> = {
  stuck: () => [],
  metrics: () => Promise.resolve([]),
  threads: () => [],
}
const SOURCE: NonNullable<RunState['source']> = { stuck: () => [], problems: () => [] }
const AWAY = { subject: 'services', message: 'ECONNREFUSED' }

describe('started', () => {
  test('is what listens, whatever the source says', () => {
    expect(notStarted({ phase: 'starting' })).toBe('the listeners are not open yet')
    const source = { ...SOURCE, problems: () => [AWAY] }
    expect(notStarted({ phase: 'starting', threads: THREADS, source })).toBeUndefined()
    expect(notStarted({ phase: 'stopping', threads: THREADS })).toBeUndefined()
  })
})

describe('ready', () => {
  test('is not what has no snapshot, and the source says why', () => {
    const source = { ...SOURCE, problems: () => [AWAY] }
    expect(notReady({ phase: 'starting', source })).toBe('no snapshot is live yet\nservices: ECONNREFUSED')
  })

  test('stays what has one, also while the source fails, until it stops', () => {
    const source = { ...SOURCE, problems: () => [AWAY] }
    expect(notReady({ phase: 'ready', source })).toBeUndefined()
    expect(notReady({ phase: 'stopping', source })).toBe('stopping')
  })
})

describe('live', () => {
  test('is what is not stuck, also before there is anything and while the API server is away', () => {
    expect(notLive({ phase: 'starting' })).toBeUndefined()
    const source = { ...SOURCE, problems: () => [AWAY] }
    const reconciler = { busyMs: () => 179_999 }
    expect(notLive({ phase: 'ready', threads: THREADS, source, reconciler })).toBeUndefined()
  })

  test('is not what hangs, and everything that does is named', () => {
    const state: RunState = {
      phase: 'ready',
      threads: { ...THREADS, stuck: () => ['proxy thread 2 has not answered for 35 s'] },
      source: { ...SOURCE, stuck: () => ['the reflector of services has done nothing for 300 s'] },
      reconciler: { busyMs: () => 180_000 },
    }
    expect(notLive(state)?.split('\n')).toEqual([
      'proxy thread 2 has not answered for 35 s',
      'the reflector of services has done nothing for 300 s',
      "the reconciler's pass goes on for 180 s",
    ])
  })
})
