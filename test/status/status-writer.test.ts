import { expect, onTestFinished, test } from 'vitest'
import { PublishedAddresses } from '../../src/status/published-addresses.ts'
import { RecentWrites } from '../../src/status/recent-writes.ts'
import type { StatusInput } from '../../src/status/desired-writes.ts'
import type { StatusMetrics } from '../../src/status/status-metrics.ts'
import { StatusWriter } from '../../src/status/status-writer.ts'
import type { ObjectStatus } from '../../src/table/diagnostic.ts'
import { EMPTY_TABLE } from '../../src/table/routing-table.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { answerStatus, ScriptedApiServer, type RawObject } from '../support/scripted-api-server.ts'
import { apiOf, asTimePasses, eventually, random, SeenObjects, silent } from './setup.ts'

const PLUGINS = '/apis/ostiary.dev/v1alpha1/oidcplugins'
const INGRESSES = '/apis/networking.k8s.io/v1/ingresses'
const SERVICES = '/api/v1/services'
const SERVICE = '/api/v1/namespaces/ostiary/services/ostiary'
const OKTA = statusPath('ostiary.dev/v1alpha1', 'oidcplugins', 'okta')
const LATER = statusPath('ostiary.dev/v1alpha1', 'oidcplugins', 'zz-later')
const ADDRESSES = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
const MANAGER = 'ostiary/ostiary/leader'

function statusPath(apiVersion: string, plural: string, name: string): string {
  return `/apis/${apiVersion}/namespaces/shop/${plural}/${name}/status`
}

function ingressPath(name: string): string {
  return statusPath('networking.k8s.io/v1', 'ingresses', name)
}

interface Bench {
  readonly server: ScriptedApiServer
  readonly timers: ManualTimers
  readonly seen: SeenObjects
  readonly writer: StatusWriter
  isLeader: boolean
  /** How often it looked whether it leads. */
  readonly asked: () => number
  readonly stop: () => Promise<void>
  /** Makes an object that the watch has brought. */
  readonly add: (collection: string, kind: string, name: string, rest?: object) => RawObject
  /** Brings what the server has now. */
  readonly catchUp: (collection: string, kind: string, name: string) => void
  readonly patches: () => string[]
}

function bench(
  server: ScriptedApiServer,
  addresses: readonly string[] = ['192.0.2.1'],
  service?: string,
  metrics?: StatusMetrics,
): Bench {
  const timers = new ManualTimers()
  const seen = new SeenObjects()
  const api = apiOf(server)
  const state = { isLeader: true, asked: 0 }
  const common = { api, logger: silent, clock: timers, timers, random }
  const writer = new StatusWriter({
    ...common,
    observed: seen,
    addresses: new PublishedAddresses({ ...common, addresses, ...(service !== undefined && { service }) }),
    manager: MANAGER,
    isLeader: () => {
      state.asked += 1
      return state.isLeader
    },
    findings: () => new Map(),
    ...(metrics && { metrics }),
  })
  const controller = new AbortController()
  const running = writer.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await running
  }
  onTestFinished(stop)
  return {
    server,
    timers,
    seen,
    writer,
    stop,
    get isLeader() {
      return state.isLeader
    },
    set isLeader(value) {
      state.isLeader = value
    },
    asked: () => state.asked,
    add(collection, kind, name, rest = {}) {
      const metadata = { name, namespace: 'shop', uid: `uid-of-${name}` }
      const object = server.put(collection, { metadata, ...rest })
      seen.see(kind, object)
      return object
    },
    catchUp(collection, kind, name) {
      seen.see(kind, server.object(`${collection.replace(/\/([^/]+)$/, '/namespaces/shop/$1')}/${name}`)!)
    },
    patches: () => server.requests.filter(({ method }) => method === 'PATCH').map(({ path }) => path),
  }
}

function accepted(name: string, status: 'True' | 'False' = 'True'): ObjectStatus {
  const reason = status === 'True' ? 'Accepted' : 'InvalidSpec'
  const conditions = [{ type: 'Accepted', status, reason, message: '' }] as const
  return { kind: 'OIDCPlugin', namespace: 'shop', name, observedGeneration: 1, conditions }
}

function input(rest: Partial<StatusInput> = {}): StatusInput {
  return { statuses: [], ingresses: [], table: EMPTY_TABLE, ...rest }
}

function ingress(name: string): StatusInput['ingresses'][number] {
  return { kind: 'Ingress', namespace: 'shop', name }
}

test('a status is applied on the subresource, with our manager and the uid of the object', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, writer } = bench(server)
  add(PLUGINS, 'OIDCPlugin', 'okta')
  writer.update(input({ statuses: [accepted('okta')] }))
  await eventually(() => expect(server.requestsFor('patch', OKTA)).toHaveLength(1))
  const [request] = server.requestsFor('patch', OKTA)
  expect(request).toMatchObject({
    query: { fieldManager: MANAGER, force: 'true' },
    contentType: 'application/apply-patch+yaml',
  })
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    apiVersion: 'ostiary.dev/v1alpha1',
    kind: 'OIDCPlugin',
    metadata: { name: 'okta', namespace: 'shop', uid: 'uid-of-okta' },
    status: {
      observedGeneration: 1,
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'Programmed', status: 'False' },
      ],
    },
  })
})

test('the same is not written twice, neither before the watch has brought it nor after', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, catchUp, writer, patches } = bench(server)
  add(PLUGINS, 'OIDCPlugin', 'okta')
  const first = input({ statuses: [accepted('okta')] })
  writer.update(first)
  await eventually(() => expect(patches()).toEqual([OKTA]))
  add(PLUGINS, 'OIDCPlugin', 'zz-later')
  writer.update(input({ statuses: [...first.statuses, accepted('zz-later')] }))
  await eventually(() => expect(patches()).toEqual([OKTA, LATER]))
  catchUp(PLUGINS, 'OIDCPlugin', 'okta')
  add(PLUGINS, 'OIDCPlugin', 'zzz')
  writer.update(input({ statuses: [...first.statuses, accepted('zz-later'), accepted('zzz')] }))
  await eventually(() => expect(patches()).toHaveLength(3))
  expect(patches().filter((path) => path === OKTA)).toHaveLength(1)
})

test('what somebody else wrote over it is written again within ten seconds, without any change', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, catchUp, writer, patches, timers } = bench(server)
  add(PLUGINS, 'OIDCPlugin', 'okta')
  writer.update(input({ statuses: [accepted('okta')] }))
  await eventually(() => expect(patches()).toHaveLength(1))
  catchUp(PLUGINS, 'OIDCPlugin', 'okta')
  add(PLUGINS, 'OIDCPlugin', 'okta', { status: { conditions: [] } })
  await eventually(() => expect(timers.nextInMs).toBe(10_000))
  timers.advance(10_000)
  await eventually(() => expect(patches()).toHaveLength(2))
})

test('who does not lead writes nothing, and writes everything once it leads', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const each = bench(server)
  each.add(PLUGINS, 'OIDCPlugin', 'okta')
  each.isLeader = false
  each.writer.update(input({ statuses: [accepted('okta')] }))
  await eventually(() => expect(each.asked()).toBe(1))
  await eventually(() => expect(each.timers.nextInMs).toBe(10_000))
  expect(each.patches()).toEqual([])
  each.isLeader = true
  each.writer.wake()
  await eventually(() => expect(each.patches()).toEqual([OKTA]))
})

test('who loses the lead between two writes stops there', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const each = bench(server)
  for (const name of ['okta', 'zz-later']) each.add(PLUGINS, 'OIDCPlugin', name)
  server.once('patch', OKTA, (_, response) => {
    each.isLeader = false
    answerStatus(response, 404, 'NotFound')
  })
  each.writer.update(input({ statuses: [accepted('okta'), accepted('zz-later')] }))
  await eventually(() => expect(each.patches()).toEqual([OKTA]))
  await eventually(() => expect(each.timers.nextInMs).toBe(10_000))
  expect(each.patches()).toEqual([OKTA])
})

test.each([404, 409, 422])('an answer of %i concerns one object: the others are written', async (code) => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, writer, patches } = bench(server)
  for (const name of ['okta', 'zz-later']) add(PLUGINS, 'OIDCPlugin', name)
  server.once('patch', OKTA, (_, response) => answerStatus(response, code, 'No'))
  writer.update(input({ statuses: [accepted('okta'), accepted('zz-later')] }))
  await eventually(() => expect(patches()).toEqual([OKTA, LATER]))
})

test('an object that was made anew under the name is not told what the former was', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, writer, patches } = bench(server)
  const old = add(PLUGINS, 'OIDCPlugin', 'okta')
  server.put(PLUGINS, { ...old, metadata: { ...old.metadata, uid: 'another' } })
  writer.update(input({ statuses: [accepted('okta')] }))
  await eventually(() => expect(patches()).toEqual([OKTA]))
  expect(server.object(OKTA.replace('/status', ''))).not.toHaveProperty('status')
})

test('an API server that is busy is left alone for as long as it says, then asked again', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, writer, patches, timers } = bench(server)
  for (const name of ['okta', 'zz-later']) add(PLUGINS, 'OIDCPlugin', name)
  server.once('patch', OKTA, (_, response) => answerStatus(response, 429, 'No', { 'retry-after': '7' }))
  writer.update(input({ statuses: [accepted('okta'), accepted('zz-later')] }))
  await eventually(() => expect(timers.nextInMs).toBe(7000))
  expect(patches()).toEqual([OKTA])
  timers.advance(7000)
  await eventually(() => expect(patches()).toEqual([OKTA, OKTA, LATER]))
})

test.each([403, 500])(
  'where a namespace refuses with %i, as a webhook may, others are written',
  async (code) => {
    await using server = await ScriptedApiServer.start(PLUGINS, INGRESSES)
    const { add, writer, patches, timers } = bench(server)
    for (const name of ['a', 'b', 'c']) add(PLUGINS, 'OIDCPlugin', name)
    add(INGRESSES, 'Ingress', 'web')
    const refused = statusPath('ostiary.dev/v1alpha1', 'oidcplugins', 'a')
    server.once('patch', refused, (_, response) => answerStatus(response, code, 'No'))
    writer.update(
      input({ statuses: ['a', 'b', 'c'].map((name) => accepted(name)), ingresses: [ingress('web')] }),
    )
    await eventually(() => expect(patches()).toEqual([refused, ingressPath('web')]))
    // The namespace is asked once more by and by, and then all goes through.
    await asTimePasses(timers, 1000, () => expect(patches()).toHaveLength(5))
  },
)

test('what was deleted before it came back by the watch is not remembered', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const observed = new SeenObjects()
  const recent = new RecentWrites(observed)
  for (const name of ['a', 'b']) {
    const raw = server.put(PLUGINS, { metadata: { name, namespace: 'shop', uid: name } })
    observed.see('OIDCPlugin', raw)
    recent.wrote('OIDCPlugin', server.put(PLUGINS, raw))
  }
  expect(recent.size).toBe(2)
  observed.forget({ kind: 'OIDCPlugin', namespace: 'shop', name: 'a' })
  recent.sweep()
  expect(recent.size).toBe(1)
})

test('many writes are spread over time', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, writer, patches, timers } = bench(server)
  const names = Array.from({ length: 103 }, (_, n) => `p${n}`)
  for (const name of names) add(PLUGINS, 'OIDCPlugin', name)
  writer.update(input({ statuses: names.map((name) => accepted(name)) }))
  await eventually(() => expect(timers.nextInMs).toBe(20))
  expect(patches()).toHaveLength(100)
  await asTimePasses(timers, 20, () => expect(patches()).toHaveLength(103))
})

test('Ingresses of ours get the addresses; another is touched only to give up what we wrote', async () => {
  await using server = await ScriptedApiServer.start(INGRESSES)
  const { add, writer, patches } = bench(server)
  const theirs = { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } }
  const managed = (name: string, manager: string, status: object) =>
    add(INGRESSES, 'Ingress', name, {
      metadata: {
        name,
        namespace: 'shop',
        uid: `uid-of-${name}`,
        managedFields: [{ manager, subresource: 'status' }],
      },
      status,
    })
  managed('foreign', 'nginx', theirs)
  managed('foreign-with-our-address', 'nginx', ADDRESSES)
  managed('of-another-ostiary', 'ostiary/elsewhere/leader', ADDRESSES)
  managed('cleared', MANAGER, { loadBalancer: {} })
  managed('left', MANAGER, ADDRESSES)
  managed('right', 'anybody', ADDRESSES)
  add(INGRESSES, 'Ingress', 'new')
  writer.update(input({ ingresses: [ingress('new'), ingress('right')] }))
  await eventually(() => expect(patches()).toEqual([ingressPath('new'), ingressPath('left')]))
  const bodies = server.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ body }) => JSON.parse(body))
  expect(bodies[0]).toMatchObject({ status: ADDRESSES })
  expect(bodies[1]).not.toHaveProperty('status')
})

test('the addresses of a Service are followed, and an unreadable Service changes nothing', async () => {
  await using server = await ScriptedApiServer.start(INGRESSES, SERVICES)
  server.once('get', SERVICE, (_, response) => answerStatus(response, 403, 'Forbidden'))
  const { add, catchUp, writer, patches, timers } = bench(server, [], 'ostiary/ostiary')
  add(INGRESSES, 'Ingress', 'a')
  writer.update(input({ ingresses: [ingress('a')] }))
  await eventually(() => expect(server.requestsFor('get', SERVICE)).toHaveLength(1))
  await eventually(() => expect(timers.nextInMs).toBe(10_000))
  expect(patches()).toEqual([])
  const service = (ip: string) =>
    server.put(SERVICES, {
      metadata: { name: 'ostiary', namespace: 'ostiary' },
      spec: { type: 'LoadBalancer' },
      status: { loadBalancer: { ingress: [{ ip }] } },
    })
  for (const ip of ['192.0.2.5', '192.0.2.6']) {
    service(ip)
    const before = patches().length
    timers.advance(10_000)
    await eventually(() => expect(patches()).toHaveLength(before + 1))
    await eventually(() => expect(timers.nextInMs).toBe(10_000))
    catchUp(INGRESSES, 'Ingress', 'a')
    expect(server.object(ingressPath('a').replace('/status', ''))?.['status']).toEqual({
      loadBalancer: { ingress: [{ ip }] },
    })
  }
})

test('without configured addresses no Ingress is touched', async () => {
  await using server = await ScriptedApiServer.start(INGRESSES, PLUGINS)
  const { add, writer, patches, timers } = bench(server, [])
  add(INGRESSES, 'Ingress', 'a')
  add(PLUGINS, 'OIDCPlugin', 'okta')
  writer.update(input({ ingresses: [ingress('a')], statuses: [accepted('okta')] }))
  await eventually(() => expect(patches()).toEqual([OKTA]))
  await eventually(() => expect(timers.nextInMs).toBe(10_000))
  expect(patches()).toEqual([OKTA])
})

test('beside another installation, conditions have one writer', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const { add, writer, patches, timers } = bench(server)
  const held = (name: string, manager: string, observedGeneration: number) =>
    add(PLUGINS, 'OIDCPlugin', name, {
      metadata: {
        name,
        namespace: 'shop',
        uid: `uid-of-${name}`,
        managedFields: [{ manager, subresource: 'status' }],
      },
      status: { observedGeneration },
    })
  held('a-theirs', MANAGER, 1)
  held('b-unnamed', 'ostiary/elsewhere/leader', 1)
  held('c-unnamed-behind', 'ostiary/elsewhere/leader', 0)
  held('d-unnamed-ours', MANAGER, 1)
  held('e-unnamed-by-hand', 'kubectl', 1)
  held('f-ours', 'ostiary/elsewhere/leader', 1)
  const names = ['a-theirs', 'b-unnamed', 'c-unnamed-behind', 'd-unnamed-ours', 'e-unnamed-by-hand', 'f-ours']
  const claims = new Map(
    names.slice(0, -1).map((name) => [`shop/${name}`, name === 'a-theirs' ? 'others' : 'nobody'] as const),
  )
  writer.update(input({ statuses: names.map((name) => accepted(name)), claims }))
  const written = ['c-unnamed-behind', 'd-unnamed-ours', 'e-unnamed-by-hand', 'f-ours']
  await eventually(() =>
    expect(patches()).toEqual(written.map((name) => statusPath('ostiary.dev/v1alpha1', 'oidcplugins', name))),
  )
  await eventually(() => expect(timers.nextInMs).toBe(10_000))
  expect(patches()).toHaveLength(4)
})

test('what became of each write is counted', async () => {
  await using server = await ScriptedApiServer.start(PLUGINS)
  const counted: string[] = []
  const wroteStatus = (kind: string, result: string) => void counted.push(`${kind} ${result}`)
  const { add, writer, timers } = bench(server, [], undefined, { wroteStatus, wroteEvent: () => {} })
  const names = ['a-conflict', 'b-refused', 'c-good', 'd-failed']
  for (const name of names) add(PLUGINS, 'OIDCPlugin', name)
  const answers = { 'a-conflict': 409, 'b-refused': 422, 'd-failed': 503 }
  for (const [name, code] of Object.entries(answers)) {
    const path = statusPath('ostiary.dev/v1alpha1', 'oidcplugins', name)
    server.once('patch', path, (_, response) => answerStatus(response, code, 'No'))
  }
  writer.update(input({ statuses: names.map((name) => accepted(name)) }))
  await eventually(() => expect(timers.nextInMs).toBe(500))
  expect(counted).toEqual([
    'OIDCPlugin skipped',
    'OIDCPlugin refused',
    'OIDCPlugin written',
    'OIDCPlugin failed',
  ])
})
