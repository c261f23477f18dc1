import { onTestFinished, expect, test } from 'vitest'
import type { Authorizer } from '../../src/auth/authorize.ts'
import type { AuthDecision } from '../../src/auth/decision.ts'
import { startThreadPool, type ThreadPool } from '../../src/proxy/thread-pool.ts'
import type { ThreadReport } from '../../src/proxy/thread-report.ts'
import { rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { ALLOW, deadPort, everythingOn, GET, noAuthorizer, proxy, silent, upstream } from './support.ts'

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`
}

function deciding(decision: AuthDecision): Authorizer {
  return { ...noAuthorizer, authorize: () => decision }
}

const guarded = aRoute('web', {
  action: { kind: 'forward', upstream: 'default/web/80', policies: ['default/okta', 'default/other'] },
})

test('totals count what was asked of every route, and of hosts that there are none', async () => {
  const { port: web } = await upstream((request, response) => {
    response.statusCode = request.url === '/broken' ? 500 : 200
    response.end()
  })
  const { server, port } = await proxy(everythingOn(web))
  await rawRequest(port, GET)
  await rawRequest(port, get('/broken'))
  await rawRequest(port, 'GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n')
  const { totals, series, requestsInFlight } = server.report({
    series: ['default/web/web', 'default/none/none'],
  })
  expect(totals).toMatchObject({ requests: 3, clientErrors: 1, serverErrors: 1 })
  expect(totals.latencyBuckets.reduce((sum, count) => sum + count, 0)).toBe(3)
  expect(series).toEqual([{ key: 'default/web/web', requests: 2, serverErrors: 1 }])
  expect(requestsInFlight).toBe(0)
})

test('a route that is gone takes nothing from the totals', async () => {
  const { port: web } = await upstream((_, response) => response.end())
  const { server, port } = await proxy(everythingOn(web))
  await rawRequest(port, GET)
  server.publish(aSnapshot(aTable([], {})))
  server.metrics()
  const { totals, series } = server.report({ series: ['default/web/web'] })
  expect([totals.requests, series]).toEqual([1, []])
})

test('a request that passed is told with its consumer', async () => {
  const { port: web } = await upstream((_, response) => response.end())
  const identity = {
    policy: 'default/okta',
    method: 'bearer',
    groups: ['secret-group'],
    subject: 'somebody@example.com',
    consumer: { id: 'uid-1', username: 'partner' },
  } as const
  const table = aTable([aHost('example.com', [guarded])], { web: [web] })
  const { server, port } = await proxy(aSnapshot(table), {}, deciding({ ...ALLOW, identity }))
  await rawRequest(port, get('/?access_token=sesame'))
  const beforeMs = Date.now() - 60_000
  const { decisions, decisionCounts } = server.report({ decisionsOf: 'default/okta', decisionCounts: true })
  expect(decisions).toEqual([
    {
      atMs: expect.any(Number) as number,
      route: 'default/web#0.0',
      flow: 'bearer',
      result: 'allow',
      reason: '',
      status: 0,
      consumer: 'partner',
    },
  ])
  expect(decisions[0]?.atMs).toBeGreaterThan(beforeMs)
  expect(decisionCounts.get('default/okta')).toMatchObject({ allow: 1, refuse: 0 })
  expect(server.report({ decisionsOf: 'default/other' }).decisions).toEqual([])
})

test('a request that was refused is told of every plugin that might have let it in', async () => {
  const refusal = {
    kind: 'refuse',
    status: 401,
    reason: 'no_credential',
    message: 'No.',
    wwwAuthenticate: [],
    responseHeaders: [],
  } as const
  const { port: web } = await upstream((_, response) => response.end())
  const table = aTable([aHost('example.com', [guarded])], { web: [web] })
  const { server, port } = await proxy(aSnapshot(table), {}, deciding(refusal))
  expect((await rawRequest(port, GET)).status).toBe(401)
  for (const plugin of ['default/okta', 'default/other']) {
    expect(server.report({ decisionsOf: plugin }).decisions).toMatchObject([
      { result: 'refuse', reason: 'no_credential', status: 401, consumer: '', flow: '' },
    ])
  }
  expect(server.report({}).totals.decisions).toMatchObject({ refuse: 1, allow: 0 })
})

test('an endpoint that cannot be reached rests, and says why', async () => {
  const dead = await deadPort()
  const { port: web } = await upstream((_, response) => response.end())
  const { server, port } = await proxy(everythingOn(web, dead))
  await Promise.all([rawRequest(port, GET), rawRequest(port, GET)])
  const { endpoints } = server.report({ upstreams: ['default/web/80', 'default/none/80'] })
  expect(endpoints).toMatchObject([
    {
      upstream: 'default/web/80',
      address: `127.0.0.1:${dead}`,
      failures: 1,
      lastFailure: { reason: expect.stringContaining('ECONNREFUSED') as string },
    },
  ])
  expect(endpoints[0]?.restsForMs).toBeGreaterThan(0)
})

test('the last errors of a route say whose they were, and where they came from', async () => {
  const dead = await deadPort()
  const { port: web } = await upstream((_, response) => {
    response.statusCode = 503
    response.end()
  })
  const table = aTable(
    [
      aHost('example.com', [
        aRoute('web'),
        aRoute('dead', { path: '/dead' }),
        aRoute('none', {
          path: '/none',
          action: { kind: 'closed', reason: 'PluginNotFound', message: 'No.' },
        }),
      ]),
    ],
    { web: [web], dead: [dead] },
  )
  const { server, port } = await proxy(aSnapshot(table))
  for (const path of ['/', '/dead?token=sesame', '/none']) await rawRequest(port, get(path))
  const errorsOf = (name: string) => server.report({ errorsOf: `default/${name}#0.0` }).errors
  const atMs = expect.any(Number) as number
  expect(errorsOf('web')).toEqual([
    { atMs, status: 503, reason: 'upstream_answered', endpoint: `127.0.0.1:${web}` },
  ])
  expect(errorsOf('dead')).toEqual([
    { atMs, status: 502, reason: 'upstream_failed', endpoint: `127.0.0.1:${dead}` },
  ])
  expect(errorsOf('none')).toEqual([{ atMs, status: 503, reason: 'PluginNotFound', endpoint: '' }])
  expect(server.report({}).errors).toEqual([])
})

async function pool(): Promise<ThreadPool> {
  const threads = await startThreadPool(
    { workers: 2, http: { port: 0 } },
    { log: silent, serveBroker: () => {} },
  )
  onTestFinished(() => threads.close({ drainMs: 0 }))
  return threads
}

test('every thread tells for itself, and the threads are known by the snapshot that they run on', async () => {
  const { port: web } = await upstream((_, response) => response.end())
  const threads = await pool()
  const snapshot = everythingOn(web)
  await threads.publish(snapshot)
  for (let i = 0; i < 10; i += 1) await rawRequest(threads.ports.http ?? 0, GET)
  const reports = await threads.reports({ series: ['default/web/web'] })
  const told: ThreadReport[] = [...reports.values()]
  expect([...reports.keys()]).toEqual(['proxy thread 1', 'proxy thread 2'])
  expect(told.reduce((sum, { totals }) => sum + totals.requests, 0)).toBe(10)
  expect(threads.threads()).toEqual([
    { name: 'proxy thread 1', place: 1, snapshotVersion: snapshot.version, isStuck: false },
    { name: 'proxy thread 2', place: 2, snapshotVersion: snapshot.version, isStuck: false },
  ])
})
