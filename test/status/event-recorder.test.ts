import { expect, onTestFinished, test } from 'vitest'
import { EventRecorder } from '../../src/status/event-recorder.ts'
import { eventName, occurrenceOf, type Occurrence } from '../../src/status/event.ts'
import type { Diagnostic } from '../../src/table/diagnostic.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { answerStatus, ScriptedApiServer } from '../support/scripted-api-server.ts'
import { apiOf, asTimePasses, eventually, random, silent } from './setup.ts'

const EVENTS = '/apis/events.k8s.io/v1/namespaces/shop/events'
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

const MINUTE = 60_000

function occurrence(name = 'orders', rest: Partial<Diagnostic> = {}, namespace = 'shop'): Occurrence {
  const object = {
    kind: 'Ingress',
    namespace,
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '7',
    statusManagers: [],
  }
  return occurrenceOf(object, {
    severity: 'warning',
    reason: 'ServiceNotFound',
    object,
    path: 'spec.rules[0]',
    message: 'names a Service that is not there',
    remedy: 'Create it.',
    ...rest,
  })
}

interface Bench {
  readonly timers: ManualTimers
  readonly recorder: EventRecorder
  readonly creates: () => number
  readonly counts: () => number
  isLeader: boolean
  readonly asked: () => number
  /** Results, as metrics have them. */
  readonly counted: readonly string[]
}

function bench(server: ScriptedApiServer, instance = 'pod_1'): Bench {
  const timers = new ManualTimers()
  const state = { isLeader: true, asked: 0 }
  const counted: string[] = []
  const recorder = new EventRecorder({
    api: apiOf(server),
    controller: 'ostiary.dev/ingress-controller',
    instance,
    isLeader: () => {
      state.asked += 1
      return state.isLeader
    },
    logger: silent,
    clock: timers,
    timers,
    random,
    metrics: { wroteStatus: () => {}, wroteEvent: (result) => void counted.push(result) },
  })
  const controller = new AbortController()
  const running = recorder.run(controller.signal)
  onTestFinished(async () => {
    controller.abort()
    await running
  })
  const by = (method: string) => () => server.requests.filter((each) => each.method === method).length
  return {
    timers,
    recorder,
    creates: by('POST'),
    counts: by('PATCH'),
    get isLeader() {
      return state.isLeader
    },
    set isLeader(value) {
      state.isLeader = value
    },
    asked: () => state.asked,
    counted,
  }
}

function pathOf(each: Occurrence): string {
  return `${EVENTS}/${eventName(each)}`
}

test('an Event has place, message and remedy, and everything that the API server asks for', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, creates } = bench(server)
  recorder.update(() => [occurrence()])
  await eventually(() => expect(creates()).toBe(1))
  expect(JSON.parse(server.requestsFor('create', EVENTS)[0]?.body ?? '')).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: expect.stringMatching(/^orders\.[0-9a-f]{16}$/), namespace: 'shop' },
    eventTime: expect.stringMatching(MICRO_TIME),
    type: 'Warning',
    reason: 'ServiceNotFound',
    action: 'Compile',
    note: 'spec.rules[0]: names a Service that is not there. Create it.',
    regarding: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      namespace: 'shop',
      name: 'orders',
      uid: 'uid-of-orders',
      resourceVersion: '7',
    },
    reportingController: 'ostiary.dev/ingress-controller',
    reportingInstance: 'pod_1',
  })
})

test('what goes on is told at most once in ten minutes, as a count of the same Event', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, timers, creates, counts } = bench(server)
  const same = occurrence()
  recorder.update(() => [same])
  await eventually(() => expect(creates()).toBe(1))
  // Compiles that find it again and again, each together with something new.
  for (let n = 1; n <= 3; n += 1) {
    recorder.update(() => [same, occurrence(`other-${n}`)])
    await eventually(() => expect(creates()).toBe(1 + n))
  }
  recorder.update(() => [same])
  await asTimePasses(timers, MINUTE, () => expect(counts()).toBe(1))
  expect(server.object(pathOf(same))?.['series']).toEqual({
    count: 2,
    lastObservedTime: expect.stringMatching(MICRO_TIME),
  })
  const elapsedMs = timers.now() - Date.UTC(2026, 0, 1)
  expect(elapsedMs).toBeGreaterThanOrEqual(10 * MINUTE)
  await asTimePasses(timers, MINUTE, () => expect(counts()).toBe(2))
  expect(server.object(pathOf(same))?.['series']).toMatchObject({ count: 3 })
})

test('what comes and goes within ten minutes is told once', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, creates, counts } = bench(server)
  const same = occurrence()
  for (let n = 0; n < 4; n += 1) {
    recorder.update(() => [same, occurrence(`mark-${n}`)])
    await eventually(() => expect(server.object(pathOf(occurrence(`mark-${n}`)))).toBeDefined())
    recorder.update(() => [])
  }
  expect(creates()).toBe(5)
  expect(counts()).toBe(0)
})

test('a new leader does not repeat what the former has just told', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const [first, second] = [bench(server, 'pod_1'), bench(server, 'pod_2')]
  first.recorder.update(() => [occurrence()])
  await eventually(() => expect(server.object(pathOf(occurrence()))).toBeDefined())
  second.recorder.update(() => [occurrence(), occurrence('next')])
  await eventually(() => expect(server.object(pathOf(occurrence('next')))).toBeDefined())
  expect(second.counts()).toBe(0)
  expect(server.object(pathOf(occurrence()))).toMatchObject({ reportingInstance: 'pod_1' })
  await eventually(() => expect(second.counted).toEqual(['written']))
  expect(first.counted).toEqual(['written'])
})

test('a flood is let through slowly, and the rest comes later', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, timers, creates } = bench(server)
  const flood = Array.from({ length: 53 }, (_, n) => occurrence(`i${n}`))
  recorder.update(() => flood)
  await eventually(() => expect(timers.nextInMs).toBe(1000))
  expect(creates()).toBe(50)
  timers.advance(1000)
  await eventually(() => expect(creates()).toBe(51))
  await asTimePasses(timers, 1000, () => expect(creates()).toBe(53))
})

test('who does not lead tells nothing until it does', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const each = bench(server)
  each.isLeader = false
  each.recorder.update(() => [occurrence()])
  await eventually(() => expect(each.asked()).toBe(1))
  await eventually(() => expect(each.timers.nextInMs).toBe(30_000))
  expect(each.creates()).toBe(0)
  each.isLeader = true
  each.recorder.wake()
  await eventually(() => expect(each.creates()).toBe(1))
})

test.each([404, 422])('an answer of %i concerns one Event: the others are told', async (code) => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder } = bench(server)
  server.once('create', EVENTS, (_, response) => answerStatus(response, code, 'No'))
  recorder.update(() => [occurrence(), occurrence('next')])
  await eventually(() => expect(server.object(pathOf(occurrence('next')))).toBeDefined())
  expect(server.object(pathOf(occurrence()))).toBeUndefined()
})

test('what is new comes before what is told again, however much of that there is', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, timers, creates, counts } = bench(server)
  const flood = Array.from({ length: 50 }, (_, n) => occurrence(`i${n}`))
  recorder.update(() => [...flood, occurrence('latest')])
  await eventually(() => expect(timers.nextInMs).toBe(1000))
  expect(creates()).toBe(50)
  // Held up for so long that all of the others are due again.
  timers.advance(10 * MINUTE)
  await eventually(() => expect(creates()).toBeGreaterThan(50))
  const posts = (): string[] =>
    server.requests
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => body.match(/"name":"(\w+)/)?.[1] ?? '')
  await eventually(() => expect(counts()).toBeGreaterThan(0))
  expect(posts()[50]).toBe('latest')
})

test('a namespace that takes no Events, as one that is going, holds up no other', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, timers } = bench(server)
  const going = '/apis/events.k8s.io/v1/namespaces/going/events'
  const refuse = (): void =>
    server.once('create', going, (_, response) => answerStatus(response, 403, 'it is being terminated'))
  const asked = (): number => server.requestsFor('create', going).length
  refuse()
  const [first, second] = [occurrence('first', {}, 'going'), occurrence('second', {}, 'going')]
  recorder.update(() => [first, second, occurrence()])
  await eventually(() => expect(server.object(pathOf(occurrence()))).toBeDefined())
  expect(asked()).toBe(1)
  refuse()
  await eventually(() => expect(timers.nextInMs).toBe(30_000))
  timers.advance(30_000)
  await eventually(() => expect(asked()).toBe(2))
})

test('an API server that errs is asked again later', async () => {
  await using server = await ScriptedApiServer.start(EVENTS)
  const { recorder, timers, creates } = bench(server)
  server.once('create', EVENTS, (_, response) => answerStatus(response, 503, 'No'))
  recorder.update(() => [occurrence()])
  await eventually(() => expect(timers.nextInMs).toBe(1000))
  timers.advance(1000)
  await eventually(() => expect(creates()).toBe(2))
})

test('an object without a namespace has its Events in default, and long texts are cut', async () => {
  await using server = await ScriptedApiServer.start('/apis/events.k8s.io/v1/namespaces/default/events')
  const { recorder, creates } = bench(server)
  const long = occurrence('n'.repeat(253), { message: 'm'.repeat(2000) }, '')
  recorder.update(() => [long])
  await eventually(() => expect(creates()).toBe(1))
  const [request] = server.requests
  const body = JSON.parse(request?.body ?? '') as { note: string; metadata: { name: string } }
  expect(request?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events')
  expect(body.note).toMatch(/^spec.rules\[0\]: m+… Create it\.$/)
  expect(Buffer.byteLength(body.note)).toBe(1024)
  expect(body.metadata.name.length).toBeLessThanOrEqual(253)
})

test.each([
  ['ü'.repeat(3000), 'Create it.'],
  ['🚪'.repeat(3000), 'Create it.'],
  ['m', '🚪'.repeat(3000)],
  ['m'.repeat(3000), '🚪'.repeat(3000)],
])('the API server counts bytes, and half a character would be none (%#)', (message, remedy) => {
  const { note } = occurrence('orders', { message, remedy })
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024)
  expect(note.isWellFormed()).toBe(true)
  expect(note).toMatch(/^spec.rules\[0\]: .*[.…] .*[.…]$/u)
})

test('a message that ends in a question gets no full stop', () => {
  const { note } = occurrence('orders', { message: 'is not known; did you mean ostiary.dev/plugins?' })
  expect(note).toBe('spec.rules[0]: is not known; did you mean ostiary.dev/plugins? Create it.')
})
