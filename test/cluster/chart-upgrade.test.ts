import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRequirement } from '../support/requirements.ts'
import { echoPods, echoSource } from './echo-pods.ts'
import { CHART, helm, helmRequirement, installChart, serviceIp } from './helm.ts'
import { apply, createNamespace, getJson, installCrds, kubectl, runProgram } from './kubectl.ts'
import { ingressFor, oidcPlugin } from './objects.ts'

const RELEASE = 'ostiary'
const LIVE = { timeout: 30_000, interval: 100 }

/**
 * The last tag that this commit descends from; none before the first release, or in a shallow clone. Its chart is
 * installed with the image under test, so it shows as well that no flag was taken away.
 */
function lastTag(): string | undefined {
  const { stdout, status } = spawnSync('git', ['describe', '--tags', '--abbrev=0'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

const tag = lastTag()
const from = tag === undefined ? 'itself, for there is no tag yet' : `the chart of ${tag}`

describe.skipIf(clusterRequirement() || helmRequirement())(`an upgrade from ${from}`, () => {
  let namespace: string
  let folder: string
  let clusterIp: string
  const host = 'app.upgrade.test'
  // Values that every chart has had.
  const common = () => ({
    'ingressClass.name': namespace,
    'ingressClass.controller': `ostiary.dev/${namespace}`,
  })
  const changed = () => ({
    ...common(),
    replicas: '2',
    logLevel: 'debug',
    drainTimeoutSeconds: '20',
    'metrics.service.enabled': 'true',
  })

  /** The folder of the chart to begin with. */
  async function formerChart(): Promise<string> {
    if (tag === undefined) return CHART
    const archive = path.join(folder, 'chart.tar')
    await runProgram('git', ['archive', `--output=${archive}`, tag, CHART])
    await runProgram('tar', ['--extract', `--file=${archive}`, `--directory=${folder}`])
    return path.join(folder, CHART)
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ostiary-chart-'))
    await installCrds()
    namespace = await createNamespace('ostiary-upgrade')
    await installChart(namespace, RELEASE, common(), await formerChart())
    clusterIp = await serviceIp(namespace, RELEASE)
    const port = { name: 'http', port: 80, targetPort: 3000 }
    await apply(namespace, await echoSource(), ...echoPods({ name: 'echo', service: 'echo', port }))
    await apply(
      namespace,
      ingressFor('app', { className: namespace, host }),
      oidcPlugin('guard', { issuer: 'https://issuer.example', authMethods: ['bearer'] }),
    )
    await kubectl(['--namespace', namespace, 'rollout', 'status', 'deployment/echo', '--timeout=60s'])
  })

  afterAll(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    if (namespace === undefined) return
    await helm(namespace, 'uninstall', RELEASE, '--ignore-not-found')
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  async function status(): Promise<number> {
    const { statusCode, body } = await request(`http://${clusterIp}/`, { headers: { host } })
    await body.dump()
    return statusCode
  }
  const uidOf = async (...object: string[]) =>
    kubectl(['--namespace', namespace, 'get', ...object, '-o=jsonpath={.metadata.uid}'])

  test('keeps objects, keys and address, and takes the values', async () => {
    const kept = [
      ['oidcplugin', 'guard'],
      ['secret', 'ostiary-session-keys'],
      ['service', RELEASE],
      ['crd', 'oidcplugins.ostiary.dev'],
    ]
    await expect.poll(() => status(), LIVE).toBe(200)
    const before = await Promise.all(kept.map((each) => uidOf(...each)))
    await installChart(namespace, RELEASE, changed())
    expect(await Promise.all(kept.map((each) => uidOf(...each)))).toEqual(before)
    expect(await serviceIp(namespace, RELEASE)).toBe(clusterIp)
    const { spec } = (await getJson(['deployment', RELEASE, '-n', namespace])) as { spec: Deployment }
    expect(spec.replicas).toBe(2)
    expect(spec.template.spec.containers[0]?.args).toContain('--log-level=debug')
    await expect.poll(() => status(), LIVE).toBe(200)
  })

  test('with the same values changes nothing', async () => {
    const before = await generations()
    await installChart(namespace, RELEASE, changed())
    expect(await generations()).toEqual(before)
  })

  /** What somebody changed counts one up. */
  async function generations(): Promise<Readonly<Record<string, number>>> {
    const { items } = (await getJson([
      'deployment,poddisruptionbudget,service',
      '-n',
      namespace,
      '-l',
      `app.kubernetes.io/instance=${RELEASE}`,
    ])) as { items: readonly Generated[] }
    return Object.fromEntries(
      items.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.generation ?? 0]),
    )
  }

  test('goes back', async () => {
    await helm(namespace, 'rollback', RELEASE, '1', '--wait', '--timeout=120s')
    await expect.poll(() => status(), LIVE).toBe(200)
    const { spec } = (await getJson(['deployment', RELEASE, '-n', namespace])) as { spec: Deployment }
    expect(spec.replicas).toBe(1)
  })
})

interface Deployment {
  readonly replicas: number
  readonly template: {
    readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] }
  }
}

interface Generated {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly generation?: number }
}
