import { expect, test } from 'vitest'
import { ServerFindings } from '../../../src/commands/server-findings.ts'
import { ControlPlaneRecord } from '../../../src/commands/dashboard/control-plane-record.ts'
import { upstream, deadPort } from '../../proxy/support.ts'
import { certificateFor, tlsSecret, withTls } from '../../support/certificates.ts'
import { consumer, ingress, oidcPlugin, secret, service, yaml } from '../../support/manifests.ts'
import { rawRequest } from '../../support/raw-http.ts'
import { recordOf, sourceOf, watchedOstiary } from './setup.ts'

const ISSUER = 'https://login.example.com'
const plugin = oidcPlugin('okta', { issuer: ISSUER, authMethods: ['bearer'], audience: ['api'] })

function get(host: string, path = '/'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
}

async function manifests(): Promise<string> {
  const { port } = await upstream((request, response) => {
    response.statusCode = request.url === '/broken' ? 500 : 200
    response.end()
  })
  return yaml(
    ...service('echo', port),
    plugin,
    oidcPlugin('broken', { issuer: ISSUER, authMethods: ['bearer'], audienc: ['typo'] }),
    consumer('partner', { username: 'partner', groups: ['gold'] }),
    ingress({ name: 'open', host: 'open.example.com' }),
    ingress({ name: 'api', host: 'api.example.com', annotations: { 'ostiary.dev/plugins': 'okta' } }),
    ingress({ name: 'shut', host: 'shut.example.com', annotations: { 'ostiary.dev/plugins': 'missing' } }),
  )
}

test('the overview counts what the table and the statuses hold', async () => {
  const { source } = await watchedOstiary(await manifests(), { isLeader: () => true })
  expect(await source.overview()).toEqual({
    version: '1.2.3',
    startedAtMs: 1000,
    phase: 'ready',
    isLeader: true,
    configuration: {
      snapshotVersion: 7,
      reloadedAtMs: 2000,
      lastOutcome: 'published',
      lastDurationMs: 12,
    },
    threads: [{ name: 'proxy thread 1', snapshotVersion: 7, isStuck: false }],
    routes: { open: 1, guarded: 1, closed: 1 },
    virtualHosts: 3,
    plugins: { accepted: 1, refused: 1 },
    consumers: 1,
    diagnostics: { error: 2, warning: 0, info: 0 },
  })
})

test('before the first compile everything is empty, and the reason why it is not ready is told', async () => {
  const source = sourceOf(new ControlPlaneRecord(), {
    phase: () => 'starting',
    notReady: () => 'no snapshot is live yet',
  })
  expect(await source.overview()).toMatchObject({
    phase: 'starting',
    notReady: 'no snapshot is live yet',
    configuration: { snapshotVersion: 0 },
    routes: { open: 0, guarded: 0, closed: 0 },
  })
  expect(await source.routes({})).toEqual({ items: [], total: 0, offset: 0 })
  expect(await source.plugins()).toEqual([])
})

test('a compile that fails leaves what was known, and says so', async () => {
  const { ostiary } = await watchedOstiary(await manifests())
  const record = recordOf(await manifests(), ostiary.result())
  record.reconciled({ outcome: 'failed', durationMs: 3 }, 9000)
  expect((await sourceOf(record).overview()).configuration).toEqual({
    snapshotVersion: 7,
    reloadedAtMs: 2000,
    lastOutcome: 'failed',
    lastDurationMs: 3,
  })
})

test('routes are listed with their state, and searched by every word', async () => {
  const { ostiary, source } = await watchedOstiary(await manifests())
  await rawRequest(ostiary.port, get('open.example.com'))
  await rawRequest(ostiary.port, get('open.example.com', '/broken'))
  const all = await source.routes({})
  expect(all.items.map(({ host, state }) => [host, state])).toEqual([
    ['api.example.com', 'guarded'],
    ['open.example.com', 'open'],
    ['shut.example.com', 'closed'],
  ])
  const [open] = (await source.routes({ search: 'OPEN.example  default/open' })).items
  expect(open).toEqual({
    id: 'default/open#0.0',
    host: 'open.example.com',
    path: '/',
    pathType: 'Prefix',
    ingress: { namespace: 'default', name: 'open' },
    upstream: 'echo:80',
    plugins: [],
    state: 'open',
    endpoints: { total: 1, resting: 0 },
    requests: 2,
    serverErrors: 1,
  })
  const [shut] = (await source.routes({ state: 'closed' })).items
  expect(shut).toMatchObject({ upstream: '', closed: { reason: 'PluginNotFound' }, endpoints: { total: 0 } })
  const found = async (search: string): Promise<number> => (await source.routes({ search })).total
  expect(await Promise.all(['echo:80', 'default/okta', 'nothing-of-the-kind', ' '].map(found))).toEqual([
    2, 1, 0, 3,
  ])
})

test('pages are bounded, whatever is asked for', async () => {
  const { source } = await watchedOstiary(await manifests())
  const hosts = async (query: object): Promise<string[]> =>
    (await source.routes(query)).items.map(({ host }) => host.split('.')[0] ?? '')
  expect(await hosts({ limit: 1 })).toEqual(['api'])
  expect(await hosts({ limit: 1, offset: 2 })).toEqual(['shut'])
  expect(await hosts({ offset: 10 })).toEqual([])
  expect(await hosts({ offset: -1, limit: Number.NaN })).toEqual(['api', 'open', 'shut'])
})

test('a route tells its endpoints, its policy, and what is wrong with its objects', async () => {
  const dead = await deadPort()
  const text = yaml(
    ...service('echo', dead),
    ingress({
      host: 'app.example.com',
      annotations: { 'ostiary.dev/plugins': 'missing', 'ostiary.dev/read-timeout': '3s' },
    }),
    ingress({
      name: 'other',
      host: 'other.example.com',
      annotations: {
        'ostiary.dev/read-timeout': '3s',
        'ostiary.dev/request-headers-set': 'X-Api-Key: sesame',
      },
    }),
  )
  const { ostiary, source } = await watchedOstiary(text)
  await rawRequest(ostiary.port, get('other.example.com'))
  const other = await source.route('default/other#0.0')
  expect(other).toMatchObject({
    endpoints: { total: 1, resting: 1 },
    endpointList: [
      {
        address: `127.0.0.1:${dead}`,
        isResting: true,
        failures: 1,
        lastError: { reason: expect.stringContaining('ECONNREFUSED') as string },
      },
    ],
    requests: 1,
    serverErrors: 1,
    lastErrors: [{ status: 502, reason: 'upstream_failed', endpoint: `127.0.0.1:${dead}` }],
    diagnostics: [],
  })
  expect(other?.policy).toContainEqual({ name: 'read time-out', value: '3000 ms' })
  expect(JSON.stringify(other)).not.toContain('sesame')
  const shut = await source.route('default/app#0.0')
  expect(shut).toMatchObject({ endpointList: [], diagnostics: [{ reason: 'PluginNotFound' }] })
  expect(await source.route('default/none#0.0')).toBeUndefined()
})

test('a plugin tells its conditions, discovery, keys and decisions', async () => {
  const serverFindings = new ServerFindings()
  const keys = [
    { kty: 'RSA', kid: 'one', alg: 'RS256', use: 'sig', n: 'n', e: 'e' },
    { kty: 'EC', crv: 'P-256' },
  ]
  const { ostiary, source } = await watchedOstiary(await manifests(), {
    serverFindings,
    authorizationServers: { knownKeys: () => ({ keys, fetchedAtMs: Date.now() - 61_000 }) },
  })
  const { server } = Object.values(ostiary.result().table.policies)[0] ?? {}
  expect((await source.plugin('default/okta'))?.discovery).toEqual({ state: 'never' })
  const call = { serverId: server?.id ?? '', issuer: ISSUER, endpoint: 'discovery', durationMs: 1 } as const
  serverFindings.called({ ...call, outcome: 'ok' }, 5000)
  expect((await source.plugin('default/okta'))?.discovery).toEqual({ state: 'ok', atMs: 5000 })
  serverFindings.called({ ...call, outcome: 'unavailable' }, 6000)
  await rawRequest(ostiary.port, get('api.example.com', '/?access_token=sesame'))
  const okta = await source.plugin('default/okta')
  expect(okta).toMatchObject({
    id: 'default/okta',
    issuer: ISSUER,
    flows: ['bearer'],
    isAccepted: true,
    routes: 1,
    routeIds: ['default/api#0.0'],
    decisions: { allow: 0, refuse: 1 },
    discovery: { state: 'failing', atMs: 6000, problem: expect.stringContaining('ostiary doctor') as string },
    keys: [
      { id: 'one', algorithm: 'RS256', use: 'sig' },
      { id: '', algorithm: 'EC P-256', use: '' },
    ],
    keysAgeSeconds: 61,
    recentDecisions: [{ route: 'default/api#0.0', result: 'refuse', reason: 'no_credential', status: 401 }],
    diagnostics: [{ reason: 'DiscoveryFailed' }],
  })
  expect(okta?.conditions.map(({ type, status }) => [type, status])).toEqual([
    ['Accepted', 'True'],
    ['ResolvedRefs', 'True'],
    ['Warning', 'True'],
    ['Programmed', 'True'],
  ])
  expect(JSON.stringify(okta)).not.toContain('sesame')
  expect((await source.plugins()).map(({ id, isAccepted }) => [id, isAccepted])).toEqual([
    ['default/broken', false],
    ['default/okta', true],
  ])
  expect(await source.plugin('default/none')).toBeUndefined()
})

test('consumers are told with their conditions', async () => {
  const { source } = await watchedOstiary(await manifests())
  const { items, total } = await source.consumers({ search: 'gold' })
  expect(total).toBe(1)
  expect(items[0]).toMatchObject({
    id: 'default/partner',
    username: 'partner',
    groups: ['gold'],
    conditions: [{ type: 'Accepted', status: 'True' }, { type: 'Programmed' }],
  })
  expect((await source.consumers({ search: 'silver' })).total).toBe(0)
})

test('certificates are told without their keys, and the next to end stands in the overview', async () => {
  const [early, late] = [new Date('2031-01-01'), new Date('2032-01-01')]
  const one = await certificateFor('one.example.com', { notAfter: late })
  const two = await certificateFor('two.example.com', { notAfter: early })
  const text = yaml(
    tlsSecret('one', one),
    tlsSecret('two', two),
    withTls(ingress({ name: 'one', host: 'one.example.com' }), 'one', 'one.example.com'),
    withTls(ingress({ name: 'two', host: 'two.example.com' }), 'two', 'two.example.com'),
  )
  const { source } = await watchedOstiary(text)
  const certificates = await source.certificates()
  expect(certificates[1]).toEqual({
    id: 'default/two',
    serverNames: ['two.example.com'],
    subject: 'CN=two.example.com',
    issuer: 'CN=two.example.com',
    notBeforeMs: expect.any(Number) as number,
    notAfterMs: early.getTime(),
  })
  expect((await source.overview()).nextCertificate?.id).toBe('default/two')
  expect(JSON.stringify(certificates)).not.toContain('PRIVATE')
})

test('diagnostics are searched, and taken by severity', async () => {
  const { source } = await watchedOstiary(await manifests())
  const { items } = await source.diagnostics({ search: 'default/shut', severity: 'error' })
  expect(items).toMatchObject([{ reason: 'PluginNotFound', object: { name: 'shut' } }])
  expect(items[0]?.remedy).not.toBe('')
  expect((await source.diagnostics({ severity: 'info' })).total).toBe(0)
})

test('an explanation gets what was compiled, and words that are no request are refused', async () => {
  const asked: unknown[] = []
  const { source } = await watchedOstiary(await manifests(), {
    explain: (question, { version }, diagnostics) => {
      asked.push(question.told.host, version, diagnostics.length)
      return Promise.reject(new Error('asked'))
    },
  })
  await expect(source.explain({ url: 'http://api.example.com/' })).rejects.toThrow('asked')
  expect(asked).toEqual(['api.example.com', 7, 2])
  await expect(source.explain({ url: 'nonsense' })).rejects.toMatchObject({ code: 'ERR_SETTINGS_INVALID' })
})

test('nothing that is shown holds a secret', async () => {
  const text = yaml(
    ...service('echo', await deadPort()),
    secret('client', { clientSecret: 'open-sesame' }),
    oidcPlugin('okta', {
      issuer: ISSUER,
      clientId: 'app',
      clientSecretRef: { name: 'client' },
      authMethods: ['authorization_code', 'session'],
    }),
    ingress({ host: 'app.example.com', annotations: { 'ostiary.dev/plugins': 'okta' } }),
  )
  const { ostiary, source } = await watchedOstiary(text)
  expect(JSON.stringify(ostiary.result().secrets)).toContain('open-sesame')
  const shown = [
    await source.overview(),
    await source.routes({}),
    await source.route('default/app#0.0'),
    await source.plugins(),
    await source.plugin('default/okta'),
    await source.diagnostics({}),
    source.traffic(),
  ]
  expect(JSON.stringify(shown)).not.toContain('open-sesame')
  expect(JSON.stringify(shown)).toContain('default/okta')
})
