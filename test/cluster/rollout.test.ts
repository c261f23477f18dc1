import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { startLoad } from '../support/constant-load.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { echoPods, echoSource } from './echo-pods.ts'
import { helm, helmRequirement, installChart } from './helm.ts'
import { hostAddress } from './host-address.ts'
import { apply, createNamespace, kubectl } from './kubectl.ts'
import { ingressFor, serviceTo } from './objects.ts'

const RELEASE = 'rollout'
const NAME = `${RELEASE}-ostiary`
const HOST = 'steady.example.test'
const ROLLED_HOST = 'rolled.example.test'

describe.skipIf(clusterRequirement() || helmRequirement())('a rollout', () => {
  let namespace: string
  let address: string
  let echo: Echo

  const inNamespace = (...args: string[]) => kubectl(['--namespace', namespace, ...args])
  const podsOf = async (): Promise<string[]> => {
    const names = await inNamespace(
      'get',
      'pods',
      '-l',
      `app.kubernetes.io/instance=${RELEASE}`,
      '-o',
      'name',
    )
    return names.trim().split('\n')
  }

  const live = (host: string) => {
    const status = async () => {
      const { statusCode, body } = await request(`http://${address}/`, { headers: { host } })
      await body.dump()
      return statusCode
    }
    return expect.poll(status, { timeout: 60_000, interval: 100 }).toBe(200)
  }

  beforeAll(async () => {
    echo = await startEcho({ port: 0, host: hostAddress() })
    namespace = await createNamespace('ostiary-rollout')
    await installChart(namespace, RELEASE, {
      'ingressClass.name': namespace,
      'ingressClass.controller': `ostiary.dev/${namespace}`,
      replicas: '2',
      drainTimeoutSeconds: '20',
    })
    address = await inNamespace('get', 'service', NAME, '-o', 'jsonpath={.spec.clusterIP}')
    await apply(
      namespace,
      ...serviceTo('echo', hostAddress(), echo.port),
      ingressFor('steady', { className: namespace, host: HOST }),
      await echoSource(),
      ...rolledPods(),
      ingressFor('rolled', { className: namespace, host: ROLLED_HOST, service: 'rolled' }),
    )
  })

  afterAll(async () => {
    await echo?.close()
    if (namespace === undefined) return
    await helm(namespace, 'uninstall', RELEASE, '--ignore-not-found')
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  test('of both replicas under constant load fails not one request', async () => {
    await live(HOST)
    const before = await podsOf()
    expect(before).toHaveLength(2)
    const load = startLoad({ origin: () => `http://${address}`, host: HOST, keepAlive: 8, fresh: 4 })
    await load.turn()
    await inNamespace('rollout', 'restart', `deployment/${NAME}`)
    await inNamespace('rollout', 'status', `deployment/${NAME}`, '--timeout=100s')
    // The load goes on until the last old pod has drained.
    await inNamespace('wait', '--for=delete', ...before, '--timeout=60s')
    await load.turn()
    const { failures, requests } = await load.stop()
    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(1000)
    const after = await podsOf()
    expect(after.filter((name) => before.includes(name))).toEqual([])
  })

  test('of the pods behind a Service under constant load fails not one request', async () => {
    await inNamespace('rollout', 'status', 'deployment/rolled', '--timeout=100s')
    await live(ROLLED_HOST)
    const load = startLoad({ origin: () => `http://${address}`, host: ROLLED_HOST })
    await load.turn()
    const before = (await inNamespace('get', 'pods', '-l', 'app=rolled', '-o', 'name')).trim().split('\n')
    await inNamespace('rollout', 'restart', 'deployment/rolled')
    await inNamespace('rollout', 'status', 'deployment/rolled', '--timeout=100s')
    await inNamespace('wait', '--for=delete', ...before, '--timeout=60s')
    await load.turn()
    const { failures, requests } = await load.stop()
    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(500)
  })
})

interface EchoDeployment {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly object[] } } }
}

/** Two pods that go on serving when they are told to stop, as they should, and that no busy machine makes unready. */
function rolledPods(): object[] {
  const [deployment, service] = echoPods({
    name: 'rolled',
    service: 'rolled',
    port: { name: 'http', port: 80, targetPort: 3000 },
  }) as [EchoDeployment, object]
  const { template } = deployment.spec
  const readinessProbe = {
    httpGet: { path: '/health', port: 3000 },
    periodSeconds: 1,
    timeoutSeconds: 10,
    failureThreshold: 30,
  }
  // The echo cuts its connections at SIGTERM, as few servers do: until then everybody has heard that the pod leaves.
  const lifecycle = { preStop: { sleep: { seconds: 3 } } }
  const spec = {
    ...template.spec,
    containers: template.spec.containers.map((each) => ({ ...each, readinessProbe, lifecycle })),
    terminationGracePeriodSeconds: 10,
  }
  return [
    { ...deployment, spec: { ...deployment.spec, replicas: 2, template: { ...template, spec } } },
    service,
  ]
}
