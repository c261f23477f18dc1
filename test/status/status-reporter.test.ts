import { expect, test } from 'vitest'
import {
  StatusReporter,
  type Reported,
  type StatusReporterOptions,
} from '../../src/status/status-reporter.ts'
import type { Diagnostic } from '../../src/table/diagnostic.ts'
import { EMPTY_TABLE } from '../../src/table/routing-table.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { ScriptedApiServer } from '../support/scripted-api-server.ts'
import { apiOf, asTimePasses, eventually, random, SeenObjects, silent } from './setup.ts'

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/ostiary/leases'
const INGRESSES = '/apis/networking.k8s.io/v1/ingresses'
const EVENTS = '/apis/events.k8s.io/v1/namespaces/shop/events'
const INGRESS = '/apis/networking.k8s.io/v1/namespaces/shop/ingresses/orders'

interface Instance {
  readonly timers: ManualTimers
  readonly reporter: StatusReporter
  readonly seen: SeenObjects
  readonly stop: () => Promise<void>
}

function start(
  server: ScriptedApiServer,
  identity: string,
  options: Partial<StatusReporterOptions> = {},
): Instance {
  const timers = new ManualTimers()
  const seen = new SeenObjects()
  const reporter = new StatusReporter({
    api: apiOf(server),
    observed: seen,
    namespace: 'ostiary',
    electionId: 'ostiary-leader',
    leaderElect: true,
    identity,
    controller: 'ostiary.dev/ingress-controller',
    installation: 'controller ostiary.dev/ingress-controller in all namespaces',
    publishStatusAddress: ['192.0.2.1'],
    clearOnShutdown: false,
    logger: silent,
    clock: timers,
    timers,
    random,
    ...options,
  })
  const controller = new AbortController()
  const running = reporter.run(controller.signal)
  const stop = (): Promise<void> => {
    controller.abort()
    return running
  }
  return { timers, reporter, seen, stop }
}

function put(server: ScriptedApiServer, ...instances: readonly Instance[]): void {
  const raw = server.put(INGRESSES, { metadata: { name: 'orders', namespace: 'shop', uid: 'u' } })
  for (const { seen } of instances) seen.see('Ingress', raw)
}

const diagnostic: Diagnostic = {
  severity: 'error',
  reason: 'UnknownAnnotation',
  object: { kind: 'Ingress', namespace: 'shop', name: 'orders' },
  path: '',
  message: 'm',
  remedy: 'r',
}

function reported(rest: Partial<Reported> = {}): Reported {
  const ingresses = [{ kind: 'Ingress', namespace: 'shop', name: 'orders' }]
  return { statuses: [], ingresses, diagnostics: [], table: EMPTY_TABLE, ...rest }
}

function holder(server: ScriptedApiServer): unknown {
  return (server.object(`${LEASES}/ostiary-leader`)?.['spec'] as { holderIdentity?: string })?.holderIdentity
}

function status(server: ScriptedApiServer): unknown {
  return server.object(INGRESS)?.['status']
}

function writes(server: ScriptedApiServer): string[] {
  const written = server.requests.filter(({ method, path }) => method !== 'GET' && !path.startsWith(LEASES))
  return written.map(({ method, path }) => `${method} ${path}`)
}

test('one of two writes; when it dies the other takes over and writes what has changed since', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES, EVENTS)
  const a = start(server, 'a')
  await eventually(() => expect(holder(server)).toBe('a'))
  const b = start(server, 'b')
  put(server, a, b)
  b.reporter.reconciled(reported({ diagnostics: [diagnostic] }))
  await asTimePasses(b.timers, 0, () =>
    expect(server.requestsFor('get', `${LEASES}/ostiary-leader`)).toHaveLength(2),
  )
  expect(writes(server)).toEqual([])
  // a never renews: its time stands still, as that of a process that was killed.
  await asTimePasses(b.timers, 1000, () => expect(holder(server)).toBe('b'))
  await eventually(() =>
    expect(writes(server).toSorted()).toEqual([`PATCH ${INGRESS}/status`, `POST ${EVENTS}`]),
  )
  await Promise.all([a.stop(), b.stop()])
})

test('a leader that stops gives the Lease away, and leaves the addresses to who comes next', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES)
  const a = start(server, 'a')
  put(server, a)
  a.reporter.reconciled(reported())
  await eventually(() => expect(status(server)).toBeDefined())
  await a.stop()
  expect(holder(server)).toBeUndefined()
  expect(status(server)).toBeDefined()
})

test('the last one takes the addresses away where it was asked to, and gives the Lease away again', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES)
  const a = start(server, 'a', { clearOnShutdown: true })
  put(server, a)
  a.reporter.reconciled(reported())
  await eventually(() => expect(status(server)).toBeDefined())
  a.seen.see('Ingress', server.object(INGRESS)!)
  const stopped = a.stop()
  await eventually(() => expect(holder(server)).toBeUndefined())
  expect(status(server)).toBeDefined()
  await asTimePasses(a.timers, 1000, () => expect(status(server)).toBeUndefined())
  await stopped
  expect(holder(server)).toBeUndefined()
})

test('where another takes the Lease meanwhile, the addresses stay', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES)
  const a = start(server, 'a', { clearOnShutdown: true })
  const b = start(server, 'b')
  put(server, a)
  a.reporter.reconciled(reported())
  await eventually(() => expect(status(server)).toBeDefined())
  a.seen.see('Ingress', server.object(INGRESS)!)
  const stopped = a.stop()
  await eventually(() => expect(holder(server)).toBeUndefined())
  await asTimePasses(b.timers, 1000, () => expect(holder(server)).toBe('b'))
  a.timers.advance(5000)
  await stopped
  expect(status(server)).toBeDefined()
  expect(holder(server)).toBe('b')
  await b.stop()
})

test('without election the only instance leads at once, and no Lease is asked for', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES)
  const a = start(server, 'a', { leaderElect: false, clearOnShutdown: true })
  put(server, a)
  a.reporter.reconciled(reported())
  await eventually(() => expect(status(server)).toBeDefined())
  a.seen.see('Ingress', server.object(INGRESS)!)
  await a.stop()
  expect(status(server)).toBeUndefined()
  expect(server.requests.filter(({ path }) => path.startsWith(LEASES))).toEqual([])
})

test('nothing is told of an Ingress that is not ours, of what is no problem, or of what has no uid', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES, EVENTS)
  const a = start(server, 'a', { publishStatusAddress: [] })
  put(server, a)
  const foreign = { ...diagnostic.object, name: 'foreign' }
  a.seen.see('Ingress', { metadata: { name: 'foreign', namespace: 'shop', uid: 'f' } })
  a.seen.see('Service', { metadata: { name: 'no-uid', namespace: 'shop' } })
  const diagnostics: Diagnostic[] = [
    { ...diagnostic, object: foreign },
    { ...diagnostic, severity: 'info' },
    { ...diagnostic, object: { kind: 'Service', namespace: 'shop', name: 'no-uid' } },
    { ...diagnostic, object: { kind: 'Service', namespace: 'shop', name: 'unknown' } },
    { ...diagnostic, reason: 'PathConflict' },
  ]
  a.reporter.reconciled(reported({ diagnostics }))
  await eventually(() => expect(server.requestsFor('create', EVENTS)).toHaveLength(1))
  expect(JSON.parse(server.requestsFor('create', EVENTS)[0]?.body ?? '')).toMatchObject({
    reason: 'PathConflict',
  })
  await a.stop()
})

test('nothing is told of a plugin whose conditions are those of another installation', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES, EVENTS)
  const a = start(server, 'a', { publishStatusAddress: [] })
  const plugin = (name: string, manager?: string): Diagnostic => {
    const managedFields = manager === undefined ? [] : [{ manager, subresource: 'status' }]
    a.seen.see('OIDCPlugin', { metadata: { name, namespace: 'shop', uid: name, managedFields } })
    return { ...diagnostic, object: { kind: 'OIDCPlugin', namespace: 'shop', name } }
  }
  const diagnostics = [
    plugin('theirs'),
    plugin('held', 'ostiary/elsewhere/leader'),
    plugin('free'),
    plugin('ours', 'ostiary/elsewhere/leader'),
  ]
  const claims = new Map([
    ['shop/theirs', 'others'],
    ['shop/held', 'nobody'],
    ['shop/free', 'nobody'],
  ] as const)
  a.reporter.reconciled(reported({ diagnostics, claims }))
  await eventually(() => expect(server.requestsFor('create', EVENTS)).toHaveLength(2))
  const told = server.requestsFor('create', EVENTS).map(({ body }) => body)
  expect(told.map((body) => (JSON.parse(body) as { regarding: { name: string } }).regarding.name)).toEqual([
    'free',
    'ours',
  ])
  await a.stop()
})

test('a leader that slips over an object goes on when the object is another', async () => {
  await using server = await ScriptedApiServer.start(LEASES, INGRESSES, EVENTS)
  let slips = 0
  const slip = (): never => {
    slips += 1
    throw new TypeError('a slip')
  }
  let findings: () => ReadonlyMap<string, never> = slip
  const a = start(server, 'a', { findings: () => findings() })
  put(server, a)
  const broken = { ...diagnostic }
  Object.defineProperty(broken, 'message', { get: slip, configurable: true })
  a.reporter.reconciled(reported({ diagnostics: [broken] }))
  await eventually(() => expect(slips).toBe(2))
  expect(writes(server)).toEqual([])
  findings = () => new Map<string, never>()
  Object.defineProperty(broken, 'message', { value: 'm' })
  await asTimePasses(a.timers, 1000, () =>
    expect(writes(server).toSorted()).toEqual([`PATCH ${INGRESS}/status`, `POST ${EVENTS}`]),
  )
  await a.stop()
})

test('an issuer that cannot be reached is an Event of its plugin, unless the plugin is of another installation', async () => {
  await using server = await ScriptedApiServer.start(LEASES, EVENTS)
  const finding = { reason: 'DiscoveryFailed', message: 'The metadata could not be fetched.' } as const
  const findings = new Map(['gone', 'others', 'ours'].map((name) => [`shop/${name}`, finding]))
  const a = start(server, 'a', { findings: () => findings })
  for (const name of ['ours', 'others']) {
    a.seen.see('OIDCPlugin', { metadata: { name, namespace: 'shop', uid: `uid-of-${name}` } })
  }
  a.reporter.reconciled(reported({ claims: new Map([['shop/others', 'others']] as const) }))
  await eventually(() => expect(server.requestsFor('create', EVENTS)).toHaveLength(1))
  const event: unknown = JSON.parse(server.requestsFor('create', EVENTS)[0]?.body ?? '')
  expect(event).toMatchObject({
    reason: 'DiscoveryFailed',
    note: 'The metadata could not be fetched.',
    regarding: { kind: 'OIDCPlugin', namespace: 'shop', name: 'ours' },
  })
  await a.stop()
})
