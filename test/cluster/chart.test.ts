import { spawnSync } from 'node:child_process'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement, requirement } from '../support/requirements.ts'
import { apply, createNamespace, getJson, kubectl, runProgram } from './kubectl.ts'
import { ingressFor, oidcPlugin } from './objects.ts'

const CHART = 'charts/ostiary'
const HELM = process.env['HELM'] ?? 'helm'
/** Must be on the cluster's nodes: it is never pulled. */
const [REPOSITORY = '', TAG = ''] = (process.env['OSTIARY_TEST_IMAGE'] ?? 'ostiary:test').split(
  /:(?=[^:/]*$)/,
)
const RELEASE = 'doorkeeper'
const OF_RELEASE = `app.kubernetes.io/instance=${RELEASE}`
const CRDS = ['consumers.ostiary.dev', 'oidcplugins.ostiary.dev']
const ECHO = `
  require('node:http').createServer((request, response) => {
    response.end(JSON.stringify({ path: request.url, headers: request.headers }))
  }).listen(3000)`

/** Pods and Services of the test cluster are reached by their addresses. */
const LIVE = { timeout: 30_000, interval: 100 }

function helmRequirement(): boolean {
  const { error } = spawnSync(HELM, ['version'])
  return requirement('helm', error === undefined, 'put it on the PATH, or name it by HELM')
}

const skipped = clusterRequirement() || helmRequirement()

describe.skipIf(skipped)('the chart', () => {
  let namespace: string
  let crdsBefore: readonly string[]
  let clusterIp: string

  const helm = (...args: string[]) => runProgram(HELM, ['--namespace', namespace, ...args])
  const inNamespace = (...args: string[]) => kubectl(['--namespace', namespace, ...args])

  beforeAll(async () => {
    namespace = await createNamespace('ostiary-chart')
    // The API server refuses every pod that could be more restricted.
    await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
    crdsBefore = await installedCrds()
    const values = {
      'image.repository': REPOSITORY,
      'image.tag': TAG,
      'image.pullPolicy': 'Never',
      'service.type': 'ClusterIP',
      'ingressClass.name': namespace,
      replicas: '2',
    }
    const set = Object.entries(values).map(([name, value]) => `--set=${name}=${value}`)
    try {
      await helm('install', RELEASE, CHART, ...set, '--wait', '--timeout=120s')
    } catch (error) {
      throw new Error(`${String(error)}\n${await inNamespace('describe', 'pods')}`, { cause: error })
    }
    const service = (await getJson(['service', RELEASE, '--namespace', namespace])) as {
      readonly spec: { readonly clusterIP: string }
    }
    clusterIp = service.spec.clusterIP
    await apply(namespace, ...echoObjects())
    await inNamespace('rollout', 'status', 'deployment/echo', '--timeout=60s')
  })

  afterAll(async () => {
    if (namespace === undefined) return
    await helm('uninstall', RELEASE, '--ignore-not-found')
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  async function get(host: string, path = '/page') {
    const { statusCode, body } = await request(`http://${clusterIp}${path}`, { headers: { host } })
    return { status: statusCode, body: await body.text() }
  }
  const live = (host: string, status: number) =>
    expect.poll(async () => (await get(host)).status, LIVE).toBe(status)

  test('passes lint', async () => {
    expect(await helm('lint', CHART, '--strict')).toContain('0 chart(s) failed')
  })

  test('installs the CRDs', async () => {
    expect(await installedCrds()).toEqual(CRDS)
    for (const name of CRDS.filter((each) => !crdsBefore.includes(each))) {
      const managers = await kubectl([
        'get',
        'crd',
        name,
        '-o',
        'jsonpath={.metadata.managedFields[*].manager}',
      ])
      expect(managers).toContain('helm')
    }
  })

  test('forwards what an Ingress names to the pods behind a Service', async () => {
    await apply(namespace, ingressFor('open', { className: namespace, host: 'open.example.test' }))
    await live('open.example.test', 200)
    const { body } = await get('open.example.test')
    expect(JSON.parse(body)).toMatchObject({
      path: '/page',
      headers: { host: 'open.example.test', 'x-forwarded-proto': 'http' },
    })
    expect((await get('unknown.example.test')).status).toBe(404)
  })

  test('guards by a plugin', async () => {
    const host = 'guarded.example.test'
    await apply(namespace, ingressFor('guarded', { className: namespace, host, plugins: 'guard' }))
    await live(host, 503)
    await apply(namespace, oidcPlugin('guard', { issuer: 'https://issuer.example', authMethods: ['bearer'] }))
    await live(host, 401)
  })

  const canI = (...question: string[]) =>
    inNamespace('auth', 'can-i', `--as=system:serviceaccount:${namespace}:${RELEASE}`, ...question)

  test('gives the permissions that are needed', async () => {
    const pods = await inNamespace('get', 'pods', '-l', OF_RELEASE, '-o', 'name')
    const names = pods.trim().split('\n')
    expect(names).toHaveLength(2)
    for (const name of names) {
      const log = await inNamespace('logs', name)
      expect(log).toContain('snapshot published')
      expect(log).not.toMatch(/forbidden|cannot be (followed|read)/i)
    }
    expect(await canI('list', 'secrets', '--all-namespaces')).toBe('yes\n')
    const labels = await inNamespace(
      'get',
      'secret',
      'ostiary-session-keys',
      '-o',
      'jsonpath={.metadata.labels}',
    )
    expect(JSON.parse(labels)).toEqual({ 'ostiary.dev/secret': 'true' })
  })

  test.each([
    ['get secrets elsewhere', ['get', 'secrets', '--namespace=default']],
    ['create secrets elsewhere', ['create', 'secrets', '--namespace=default']],
    ['change its key Secret', ['update', 'secrets/ostiary-session-keys']],
    ['delete Secrets', ['delete', 'secrets']],
    ['make pods', ['create', 'pods']],
    ['change Ingresses', ['update', 'ingresses']],
  ])('gives no permission to %s', async (_, question) => {
    // `can-i` ends with 1 when the answer is no.
    await expect(canI(...question)).rejects.toThrow(/ended with 1: $/)
  })

  // Last: it takes everything away.
  test('is gone after an uninstall, but for CRDs and session keys', async () => {
    await helm('uninstall', RELEASE, '--wait', '--timeout=90s')
    // Sooner than the kubelet would kill them.
    await inNamespace('wait', '--for=delete', 'pods', '-l', OF_RELEASE, '--timeout=45s')
    const kinds = 'all,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,ingressclass'
    const left = await kubectl(['get', kinds, '-A', '-l', OF_RELEASE, '-o', 'name'])
    expect(left).toBe('')
    expect(await installedCrds()).toEqual(CRDS)
    expect(await inNamespace('get', 'secret', 'ostiary-session-keys', '-o', 'name')).toContain(
      'ostiary-session-keys',
    )
  })
})

async function installedCrds(): Promise<readonly string[]> {
  const { items } = (await getJson(['crd'])) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[]
  }
  return items.map(({ metadata }) => metadata.name).filter((name) => name.endsWith('.ostiary.dev'))
}

/** An upstream of one pod, with the image that is there already and as restricted as the namespace wants it. */
function echoObjects(): object[] {
  const labels = { app: 'echo' }
  const container = {
    name: 'echo',
    image: `${REPOSITORY}:${TAG}`,
    imagePullPolicy: 'Never',
    command: ['node', '-e', ECHO],
    ports: [{ name: 'web', containerPort: 3000 }],
    readinessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 1 },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'echo' },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { securityContext, terminationGracePeriodSeconds: 0, containers: [container] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo' },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
    },
  ]
}
