import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement } from '../support/requirements.ts'
import { echoPods, echoSource } from './echo-pods.ts'
import { helm, helmRequirement, installChart, serviceIp, REFUSED } from './helm.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressFor, oidcPlugin } from './objects.ts'

const RELEASE = 'ostiary'
const LIVE = { timeout: 30_000, interval: 100 }

/** Two teams' namespaces and the controller's own, and nothing that belongs to the cluster. */
describe.skipIf(clusterRequirement() || helmRequirement())('the chart with Roles alone', () => {
  let home: string
  let team: string
  let foreign: string
  let clusterIp: string

  beforeAll(async () => {
    await installCrds()
    home = await createNamespace('ostiary-namespaced')
    team = await createNamespace('ostiary-team')
    foreign = await createNamespace('ostiary-foreign')
    await installChart(home, RELEASE, {
      'rbac.scope': 'namespaced',
      watchNamespaces: `{${home},${team}}`,
      'ingressClass.name': home,
      'crds.install': 'false',
      replicas: '2',
    })
    clusterIp = await serviceIp(home, RELEASE)
    const port = { name: 'http', port: 80, targetPort: 3000 }
    for (const namespace of [team, foreign]) {
      await apply(namespace, await echoSource(), ...echoPods({ name: 'echo', service: 'echo', port }))
    }
    await kubectl(['--namespace', team, 'rollout', 'status', 'deployment/echo', '--timeout=60s'])
  })

  afterAll(async () => {
    if (home === undefined) return
    await helm(home, 'uninstall', RELEASE, '--ignore-not-found')
    await kubectl(['delete', 'namespace', home, team, foreign, '--wait=false', '--ignore-not-found'])
  })

  async function status(host: string): Promise<number> {
    const { statusCode, body } = await request(`http://${clusterIp}/`, { headers: { host } })
    await body.dump()
    return statusCode
  }
  const live = (host: string, expected: number) => expect.poll(() => status(host), LIVE).toBe(expected)

  test('makes nothing that belongs to the cluster', async () => {
    const manifest = await helm(home, 'get', 'manifest', RELEASE)
    expect(manifest).not.toMatch(/^kind: (Cluster|IngressClass|CustomResourceDefinition)/m)
  })

  test('serves, guards and tells its address, by the name of the class', async () => {
    await apply(
      team,
      ingressFor('open', { className: home, host: 'open.namespaced.test' }),
      ingressFor('guarded', { className: home, host: 'guarded.namespaced.test', plugins: 'guard' }),
      oidcPlugin('guard', { issuer: 'https://issuer.example', authMethods: ['bearer'] }),
    )
    await live('open.namespaced.test', 200)
    await live('guarded.namespaced.test', 401)
    const address = '-o=jsonpath={.status.loadBalancer.ingress[*].ip}'
    await expect.poll(() => kubectl(['-n', team, 'get', 'ingress', 'open', address]), LIVE).toBe(clusterIp)
    const accepted = '-o=jsonpath={.status.conditions[?(@.type=="Accepted")].status}'
    await expect.poll(() => kubectl(['-n', team, 'get', 'oidcplugin', 'guard', accepted]), LIVE).toBe('True')
  })

  test('tells in an Event what a person must know', async () => {
    await apply(
      team,
      ingressFor('closed', { className: home, host: 'closed.namespaced.test', plugins: 'missing' }),
    )
    await live('closed.namespaced.test', 503)
    const reasons = [
      'get',
      'events.events.k8s.io',
      '-o=jsonpath={.items[?(@.regarding.name=="closed")].type}',
    ]
    await expect.poll(() => kubectl(['-n', team, ...reasons]), LIVE).toContain('Warning')
  })

  test('serves nothing of other namespaces', async () => {
    await apply(foreign, ingressFor('foreign', { className: home, host: 'foreign.namespaced.test' }))
    // What came later is served, so that the former would have been seen.
    await apply(team, ingressFor('later', { className: home, host: 'later.namespaced.test' }))
    await live('later.namespaced.test', 200)
    expect(await status('foreign.namespaced.test')).toBe(404)
    const { status: written } = (await getJson(['ingress', 'foreign', '-n', foreign])) as { status?: object }
    expect(written).toEqual({ loadBalancer: {} })
  })

  test('is refused nothing that it asks for', async () => {
    const pods = await kubectl([
      '-n',
      home,
      'get',
      'pods',
      '-l',
      `app.kubernetes.io/instance=${RELEASE}`,
      '-o',
      'name',
    ])
    const names = pods.trim().split('\n')
    expect(names).toHaveLength(2)
    for (const name of names) {
      const log = await kubectl(['-n', home, 'logs', name])
      expect(log).toContain('snapshot published')
      expect(log).not.toMatch(REFUSED)
    }
  })

  test('is examined by the command at the end of its notes', async () => {
    const notes = await helm(home, 'get', 'notes', RELEASE)
    const [, doctor = ''] = /^kubectl (.* doctor .*) \S+$/m.exec(notes) ?? []
    // The issuer answers nobody. Were anything not to be read, standard error would say so.
    await expect(kubectl([...doctor.split(' '), `${team}/guard`])).rejects.toThrow(
      /ended with 1: command terminated with exit code 1$/,
    )
  })

  const canI = (...question: string[]) =>
    kubectl(['-n', team, 'auth', 'can-i', `--as=system:serviceaccount:${home}:${RELEASE}`, ...question])

  test.each([
    ['list Secrets of all namespaces', ['list', 'secrets', '--all-namespaces']],
    ['list Secrets elsewhere', ['list', 'secrets', '--namespace=default']],
    ['list namespaces', ['list', 'namespaces']],
    ['read IngressClasses', ['list', 'ingressclasses']],
    ['read nodes', ['get', 'nodes']],
    ['make Secrets in a team’s namespace', ['create', 'secrets']],
    ['take a Lease in a team’s namespace', ['create', 'leases']],
  ])('may not %s', async (_, question) => {
    await expect(canI(...question)).rejects.toThrow(/ended with 1: (Warning:.*)?$/)
  })

  test('may list the Secrets of the namespaces that it serves', async () => {
    expect(await canI('list', 'secrets')).toBe('yes\n')
  })
})
