import { pino } from 'pino'
import { expect, test } from 'vitest'
import { addressesOfNode, NodeAddresses } from '../../src/status/node-addresses.ts'
import { PublishedAddresses } from '../../src/status/published-addresses.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { answerStatus, ScriptedApiServer } from '../support/scripted-api-server.ts'
import { apiOf } from './setup.ts'

const PODS = '/api/v1/namespaces/edge/pods'
const NODES = '/api/v1/nodes'
const LABELS = { app: 'ostiary', tier: '' }
const signal = new AbortController().signal

interface PodOptions {
  readonly node?: string
  readonly ready?: string
  readonly metadata?: object
}

function pod(name: string, { node = 'n1', ready = 'True', metadata = {} }: PodOptions = {}) {
  return {
    metadata: { name, namespace: 'edge', labels: { ...LABELS, 'pod-template-hash': name }, ...metadata },
    spec: { nodeName: node },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] },
  }
}

function node(name: string, ...addresses: readonly (readonly [type: string, address: string])[]) {
  return {
    metadata: { name },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  }
}

async function bench() {
  const server = await ScriptedApiServer.start(PODS, NODES)
  const timers = new ManualTimers()
  const nodes = new NodeAddresses({ api: apiOf(server), clock: timers, namespace: 'edge', pod: 'us' })
  const put = (...pods: ReturnType<typeof pod>[]): void => {
    for (const each of pods) server.put(PODS, each)
  }
  return { server, timers, nodes, put }
}

test('each node that runs a ready pod of ours is reached from outside where it can be, else from inside', async () => {
  const { server, nodes, put } = await bench()
  await using _ = server
  put(
    pod('us', { node: 'outside' }),
    pod('second', { node: 'inside' }),
    pod('third', { node: 'inside' }),
    pod('starting', { node: 'n3', ready: 'False' }),
    pod('leaving', { node: 'n3', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
  )
  server.put(
    NODES,
    node('outside', ['InternalIP', '10.0.0.1'], ['ExternalIP', '192.0.2.1'], ['ExternalIP', '2001:db8::1']),
  )
  server.put(NODES, node('inside', ['Hostname', 'inside'], ['InternalIP', '10.0.0.2']))
  server.put(NODES, node('n3', ['ExternalIP', '192.0.2.3']))
  expect(await nodes.read(signal)).toEqual([{ ip: '10.0.0.2' }, { ip: '192.0.2.1' }, { ip: '2001:db8::1' }])
})

test('the other pods are found by our labels, but for those that differ from one revision to the next', async () => {
  const { server, nodes, put } = await bench()
  await using _ = server
  put(pod('us'))
  server.put(NODES, node('n1', ['InternalIP', '10.0.0.1']))
  await nodes.read(signal)
  expect(server.requestsFor('list', PODS)[0]?.query).toEqual({
    labelSelector: 'app=ostiary,tier=',
    fieldSelector: 'status.phase=Running',
  })
})

test('in the middle of an upgrade the pods of both versions count', async () => {
  const { server, nodes, put } = await bench()
  await using _ = server
  const labels = (version: string): object => ({
    labels: { ...LABELS, 'app.kubernetes.io/version': version, 'helm.sh/chart': `ostiary-${version}` },
  })
  put(
    pod('us', { node: 'new', metadata: labels('2.0.0') }),
    pod('other', { node: 'old', metadata: labels('1.0.0') }),
  )
  server.put(NODES, node('new', ['InternalIP', '10.0.0.1']))
  server.put(NODES, node('old', ['InternalIP', '10.0.0.2']))
  await nodes.read(signal)
  expect(server.requestsFor('list', PODS)[0]?.query['labelSelector']).toBe('app=ostiary,tier=')
})

test('a pod without labels has no fellows, and not the whole namespace', async () => {
  const { server, nodes, put } = await bench()
  await using _ = server
  put(pod('us', { metadata: { labels: { 'pod-template-hash': 'x' } } }))
  await expect(nodes.read(signal)).rejects.toThrow('pod edge/us has no labels')
  expect(server.requestsFor('list', PODS)).toEqual([])
})

test('where no pod is ready nothing is known, and nobody loses an address', async () => {
  const { server, nodes, put } = await bench()
  await using _ = server
  put(pod('us', { ready: 'False' }))
  expect(await nodes.read(signal)).toBeUndefined()
})

test('a node is asked for once in a while, and one that has gone has no address', async () => {
  const { server, timers, nodes, put } = await bench()
  await using _ = server
  put(pod('us', { node: 'n1' }), pod('lost', { node: 'gone' }))
  server.put(NODES, node('n1', ['InternalIP', '10.0.0.1']))
  expect(await nodes.read(signal)).toEqual([{ ip: '10.0.0.1' }])
  server.put(NODES, node('n1', ['InternalIP', '10.0.0.9']))
  timers.advance(299_999)
  expect(await nodes.read(signal)).toEqual([{ ip: '10.0.0.1' }])
  expect(server.requestsFor('get', `${NODES}/n1`)).toHaveLength(1)
  timers.advance(1)
  expect(await nodes.read(signal)).toEqual([{ ip: '10.0.0.9' }])
})

test.each([
  undefined,
  null,
  1,
  {},
  { status: null },
  { status: { addresses: 'x' } },
  node('n', ['ExternalIP', '']),
  { status: { addresses: [null, { type: 'InternalIP', address: 7 }] } },
])('a node of a form that cannot be has no address (%#)', (raw) => {
  expect(addressesOfNode(raw)).toEqual([])
})

test('while nodes cannot be read the addresses stay as they are, and the reason is told once', async () => {
  const { server, timers, nodes, put } = await bench()
  await using _ = server
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const addresses = new PublishedAddresses({
    api: apiOf(server),
    logger,
    clock: timers,
    addresses: [],
    nodes,
  })
  put(pod('us'))
  for (let n = 0; n < 2; n += 1) {
    server.once('get', `${NODES}/n1`, (_, response) => answerStatus(response, 403, 'Forbidden'))
    expect(await addresses.current(signal)).toBeUndefined()
    timers.advance(5000)
  }
  expect(logged).toHaveLength(1)
  expect(logged[0]).toMatch(/403 Forbidden.*the nodes of our pods cannot be read/)
  server.put(NODES, node('n1', ['InternalIP', '10.0.0.1']))
  expect(await addresses.current(signal)).toEqual([{ ip: '10.0.0.1' }])
  put(pod('us', { ready: 'False' }))
  timers.advance(5000)
  expect(await addresses.current(signal)).toEqual([{ ip: '10.0.0.1' }])
})
