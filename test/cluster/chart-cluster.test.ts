import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement } from '../support/requirements.ts'
import { echoPods, echoSource } from './echo-pods.ts'
import { helm, helmRequirement, installChart, serviceIp, REFUSED } from './helm.ts'
import { apply, createNamespace, getJson, kubectl } from './kubectl.ts'
import { ingressFor, oidcPlugin } from './objects.ts'

const RELEASE = 'doorkeeper'
const NAME = `${RELEASE}-ostiary`
const OF_RELEASE = `app.kubernetes.io/instance=${RELEASE}`
const CRDS = ['consumers.ostiary.dev', 'oidcplugins.ostiary.dev']

/** Pods and Services of the test cluster are reached by their addresses. */
const LIVE = { timeout: 30_000, interval: 100 }

describe.skipIf(clusterRequirement() || helmRequirement())('the chart', () => {
  let namespace: string
  let clusterIp: string

  const inNamespace = (...args: string[]) => kubectl(['--namespace', namespace, ...args])
  const controller = () => `ostiary.dev/${namespace}`

  beforeAll(async () => {
    namespace = await createNamespace('ostiary-chart')
    // The API server refuses every pod that could be more restricted.
    await inNamespace('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted')
    await installChart(namespace, RELEASE, {
      'ingressClass.name': namespace,
      'ingressClass.controller': controller(),
      replicas: '2',
    })
    clusterIp = await serviceIp(namespace, NAME)
    const port = { name: 'http', port: 80, targetPort: 3000 }
    await apply(namespace, await echoSource(), ...echoPods({ name: 'echo', service: 'echo', port }))
    await inNamespace('rollout', 'status', 'deployment/echo', '--timeout=60s')
  })

  afterAll(async () => {
    if (namespace === undefined) return
    await helm(namespace, 'uninstall', RELEASE, '--ignore-not-found')
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  async function get(host: string, path = '/page') {
    const { statusCode, body } = await request(`http://${clusterIp}${path}`, { headers: { host } })
    return { status: statusCode, body: await body.text() }
  }
  const live = (host: string, status: number) =>
    expect.poll(async () => (await get(host)).status, LIVE).toBe(status)

  test('installs the CRDs', async () => {
    expect(await installedCrds()).toEqual(CRDS)
    for (const name of CRDS) {
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
      host: 'open.example.test',
      headers: { 'X-Forwarded-Proto': ['http'] },
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

  test('gives Ingresses the address of its Service', async () => {
    const path = '-o=jsonpath={.status.loadBalancer.ingress[*].ip}'
    await expect.poll(() => inNamespace('get', 'ingress', 'open', path), LIVE).toBe(clusterIp)
  })

  test('ends its notes with commands that work as they stand', async () => {
    const notes = await helm(namespace, 'get', 'notes', RELEASE)
    const [, objects = ''] = /<<'YAML'\n(.*?)\nYAML\n/s.exec(notes) ?? []
    const dryRun = ['apply', '--dry-run=server', '--validate=strict', '-f', '-']
    expect(await kubectl(['--namespace', namespace, ...dryRun], objects)).toMatch(
      /oidcplugin.*created[^]*ingress.*created/,
    )
    const [, ready = ''] = /^kubectl (.*rollout status.*)$/m.exec(notes) ?? []
    expect(await kubectl(ready.split(' '))).toContain('successfully rolled out')
    const [, doctor = ''] = /^kubectl (.* doctor .*) default\/okta$/m.exec(notes) ?? []
    // The issuer answers nobody; that it was asked says that the plugin was found with the pod's own permissions.
    // The issuer answers nobody. Were the plugin not found, or not to be read, standard error would say so.
    await expect(kubectl([...doctor.split(' '), `${namespace}/guard`])).rejects.toThrow(
      /ended with 1: command terminated with exit code 1$/,
    )
  })

  const canI = (...question: string[]) =>
    inNamespace('auth', 'can-i', `--as=system:serviceaccount:${namespace}:${NAME}`, ...question)

  test('gives the permissions that are needed', async () => {
    const pods = await inNamespace('get', 'pods', '-l', OF_RELEASE, '-o', 'name')
    const names = pods.trim().split('\n')
    expect(names).toHaveLength(2)
    for (const name of names) {
      const log = await inNamespace('logs', name)
      expect(log).toContain('snapshot published')
      expect(log).not.toMatch(REFUSED)
    }
    expect(await canI('list', 'secrets', '--all-namespaces')).toBe('yes\n')
    const labels = await inNamespace(
      'get',
      'secret',
      `${NAME}-session-keys`,
      '-o',
      'jsonpath={.metadata.labels}',
    )
    expect(JSON.parse(labels)).toEqual({ 'ostiary.dev/secret': 'true' })
  })

  test.each([
    ['get secrets elsewhere', ['get', 'secrets', '--namespace=default']],
    ['create secrets elsewhere', ['create', 'secrets', '--namespace=default']],
    ['change its key Secret', ['update', `secrets/${NAME}-session-keys`]],
    ['delete Secrets', ['delete', 'secrets']],
    ['read another Lease', ['get', 'leases/another']],
    ['read nodes', ['get', 'nodes']],
    ['make pods', ['create', 'pods']],
    ['change Ingresses', ['update', 'ingresses']],
  ])('gives no permission to %s', async (_, question) => {
    // `can-i` ends with 1 when the answer is no.
    await expect(canI(...question)).rejects.toThrow(/ended with 1: (Warning:.*)?$/)
  })

  // Last: it takes everything away.
  test('is gone after an uninstall, but for CRDs, objects and session keys', async () => {
    await helm(namespace, 'uninstall', RELEASE, '--wait', '--timeout=90s')
    // Sooner than the kubelet would kill them.
    await inNamespace('wait', '--for=delete', 'pods', '-l', OF_RELEASE, '--timeout=45s')
    const kinds =
      'all,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,ingressclass,poddisruptionbudget'
    const left = await kubectl(['get', kinds, '-A', '-l', OF_RELEASE, '-o', 'name'])
    expect(left.replace(/^(pod|endpointslice).*\n/gm, '')).toBe('')
    expect(await installedCrds()).toEqual(CRDS)
    const kept = await inNamespace('get', 'oidcplugin,secret', '-o', 'name')
    expect(kept).toContain('oidcplugin.ostiary.dev/guard')
    expect(kept).toContain(`secret/${NAME}-session-keys`)
  })
})

async function installedCrds(): Promise<readonly string[]> {
  const { items } = (await getJson(['crd'])) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[]
  }
  return items.map(({ metadata }) => metadata.name).filter((name) => name.endsWith('.ostiary.dev'))
}
