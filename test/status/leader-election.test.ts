import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { LeaderElection, type LeaderElectionOptions } from '../../src/status/leader-election.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { answerStatus, ScriptedApiServer } from '../support/scripted-api-server.ts'
import { apiOf, random, silent } from './setup.ts'

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/ostiary/leases'
const LEASE = `${LEASES}/ostiary-leader`
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

interface Instance {
  readonly election: LeaderElection
  readonly timers: ManualTimers
  readonly told: boolean[]
  readonly attempt: () => Promise<boolean>
}

/** An instance with a clock of its own, which attempts when it is told to. */
function instance(
  server: ScriptedApiServer,
  identity: string,
  options: Partial<LeaderElectionOptions> = {},
): Instance {
  const timers = new ManualTimers()
  const told: boolean[] = []
  const election = new LeaderElection({
    api: apiOf(server),
    namespace: 'ostiary',
    name: 'ostiary-leader',
    identity,
    installation: 'one',
    onChange: (isLeader) => told.push(isLeader),
    logger: silent,
    clock: timers,
    timers,
    random,
    ...options,
  })
  const attempt = () => election.attempt(new AbortController().signal)
  return { election, timers, told, attempt }
}

function spec(server: ScriptedApiServer): Record<string, unknown> {
  return server.object(LEASE)?.['spec'] as Record<string, unknown>
}

test('the first makes the Lease and leads, the second does not', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const [a, b] = [instance(server, 'a'), instance(server, 'b')]
  expect(await a.attempt()).toBe(true)
  expect(await b.attempt()).toBe(false)
  expect(spec(server)).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: expect.stringMatching(MICRO_TIME),
    renewTime: expect.stringMatching(MICRO_TIME),
    leaseTransitions: 0,
  })
  expect([a.told, b.told]).toEqual([[true], []])
})

test('of two that make it at once, or take it over at once, one leads', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const all = ['a', 'b', 'c'].map((name) => instance(server, name))
  expect((await Promise.all(all.map(({ attempt }) => attempt()))).filter(Boolean)).toHaveLength(1)
  for (const { timers } of all) timers.advance(16_000)
  const others = all.filter(({ told }) => told.length === 0)
  await Promise.all(others.map(({ attempt }) => attempt()))
  for (const { timers } of others) timers.advance(16_000)
  expect((await Promise.all(others.map(({ attempt }) => attempt()))).filter(Boolean)).toHaveLength(1)
  expect(all.filter(({ election }) => election.isLeader())).toHaveLength(1)
  expect(spec(server)['leaseTransitions']).toBe(1)
})

test('renewing keeps the time of acquisition and everything that others wrote', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const a = instance(server, 'a')
  await a.attempt()
  const lease = server.object(LEASE)!
  server.put(LEASES, {
    ...lease,
    metadata: { ...lease.metadata, labels: { team: 'edge' } },
    spec: { ...spec(server), strategy: 'OldestEmulationVersion' },
  })
  const { acquireTime } = spec(server)
  a.timers.advance(2000)
  expect(await a.attempt()).toBe(true)
  expect(server.object(LEASE)?.metadata['labels']).toEqual({ team: 'edge' })
  expect(spec(server)).toMatchObject({ acquireTime, strategy: 'OldestEmulationVersion', leaseTransitions: 0 })
  expect(spec(server)['renewTime']).not.toBe(acquireTime)
  expect(a.told).toEqual([true])
})

test('expiry is judged by how long the record did not change here, whatever its times say', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const [a, b] = [instance(server, 'a'), instance(server, 'b')]
  // The clock of a is a day behind that of b.
  b.timers.advance(86_400_000)
  await a.attempt()
  expect(await b.attempt()).toBe(false)
  for (let n = 0; n < 4; n += 1) {
    a.timers.advance(8000)
    await a.attempt()
    b.timers.advance(8000)
    expect(await b.attempt()).toBe(false)
  }
  b.timers.advance(14_999)
  expect(await b.attempt()).toBe(false)
  b.timers.advance(1)
  expect(await b.attempt()).toBe(true)
  expect(spec(server)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
})

test('leading ends before the Lease can expire for others, even where no timer has run', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  // A stalled process: its clock goes on and its timers do not run.
  const stalled = new ManualTimers()
  const a = instance(server, 'a', { timers: stalled })
  await a.attempt()
  a.timers.advance(9999)
  expect(a.election.isLeader()).toBe(true)
  a.timers.advance(1)
  expect(a.election.isLeader()).toBe(false)
  expect(a.told).toEqual([true])
  stalled.advance(10_000)
  expect(a.told).toEqual([true, false])
})

test('an API server that does not answer ends the lead, and one that errs does so too', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const a = instance(server, 'a')
  await a.attempt()
  const asked = Promise.withResolvers<void>()
  server.once('get', LEASE, () => asked.resolve())
  const attempt = a.attempt()
  await asked.promise
  a.timers.advance(5000)
  expect(await attempt).toBe(true)
  server.once('update', LEASE, (_, response) => answerStatus(response, 503, 'Unavailable'))
  a.timers.advance(4999)
  expect(await a.attempt()).toBe(true)
  a.timers.advance(1)
  expect(a.told).toEqual([true, false])
  expect(await a.attempt()).toBe(true)
  expect(a.told).toEqual([true, false, true])
})

test('time that the renewal took on the way does not count as held', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const a = instance(server, 'a')
  server.once('create', LEASES, (_, response) => {
    a.timers.advance(4000)
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}')
  })
  expect(await a.attempt()).toBe(true)
  a.timers.advance(6000)
  expect(a.election.isLeader()).toBe(false)
})

test('a leader that finds another one in the Lease stops at once', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const a = instance(server, 'a')
  await a.attempt()
  server.put(LEASES, { ...server.object(LEASE)!, spec: { ...spec(server), holderIdentity: 'thief' } })
  expect(await a.attempt()).toBe(false)
  expect(a.told).toEqual([true, false])
})

test('a released Lease has no holder and is taken at once', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const [a, b] = [instance(server, 'a'), instance(server, 'b')]
  await a.attempt()
  expect(await b.attempt()).toBe(false)
  await a.election.release(new AbortController().signal)
  expect(a.told).toEqual([true, false])
  expect(spec(server)).not.toHaveProperty('holderIdentity')
  expect(await b.attempt()).toBe(true)
})

test('what is released is ours only: one who lost the lead changes nothing', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const [a, b] = [instance(server, 'a'), instance(server, 'b')]
  await a.attempt()
  await b.election.release(new AbortController().signal)
  expect(spec(server)['holderIdentity']).toBe('a')
  server.put(LEASES, { ...server.object(LEASE)!, spec: { ...spec(server), holderIdentity: 'thief' } })
  await a.election.release(new AbortController().signal)
  expect(spec(server)['holderIdentity']).toBe('thief')
})

test('attempts go on every two seconds while leading, with jitter while not, and end with the signal', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const [a, b] = [instance(server, 'a'), instance(server, 'b')]
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const reads = () => server.requestsFor('get', LEASE).length
  const sleeping = async (timers: ManualTimers): Promise<void> => {
    await expect.poll(() => timers.nextInMs, { interval: 1 }).toBe(2000)
  }
  const running = a.election.run(stop.signal)
  await sleeping(a.timers)
  for (const expected of [2, 3]) {
    a.timers.advance(2000)
    await expect.poll(reads, { interval: 1 }).toBe(expected)
    await sleeping(a.timers)
  }
  const waiting = b.election.run(stop.signal)
  await expect.poll(() => b.timers.nextInMs, { interval: 1 }).toBe(4000)
  stop.abort()
  await Promise.all([running, waiting])
  expect(spec(server)['holderIdentity']).toBe('a')
})

test('a Lease that another installation holds is told, for waiting would be for ever', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const [a, twin] = [instance(server, 'a'), instance(server, 'twin', { logger })]
  const stranger = instance(server, 'stranger', { logger, installation: 'two' })
  await a.attempt()
  await twin.attempt()
  expect(logged).toEqual([])
  await stranger.attempt()
  await stranger.attempt()
  expect(logged).toHaveLength(1)
  expect(logged[0]).toMatch(/"theirs":"one","ours":"two".*another installation.*--election-id/)
})

test('what others wrote into the Lease stays, and one without a word of its installation is no stranger', async () => {
  await using server = await ScriptedApiServer.start(LEASES)
  const annotations = { 'example.com/note': 'keep' }
  server.put(LEASES, {
    metadata: { name: 'ostiary-leader', namespace: 'ostiary', annotations },
    spec: { holderIdentity: 'older' },
  })
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const a = instance(server, 'a', { logger })
  await a.attempt()
  expect(logged).toEqual([])
  a.timers.advance(15_000)
  expect(await a.attempt()).toBe(true)
  expect(server.object(LEASE)?.metadata['annotations']).toEqual({
    ...annotations,
    'ostiary.dev/installation': 'one',
  })
})
