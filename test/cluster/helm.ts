import { spawnSync } from 'node:child_process'
import { requirement } from '../support/requirements.ts'
import { getJson, kubectl, runProgram } from './kubectl.ts'

export const CHART = 'charts/ostiary'
const HELM = process.env['HELM'] ?? 'helm'
/** Must be on the cluster's nodes: it is never pulled. */
export const TEST_IMAGE = process.env['OSTIARY_TEST_IMAGE'] ?? 'ostiary:test'

/**
 * In the log of a pod that lacks a permission. What other 403s say is not meant: a namespace that is being deleted takes no
 * Event of anybody.
 */
export const REFUSED = /cannot be (followed|read)|cannot [a-z]+ resource/

/** For `describe.skipIf`: whether helm is absent. */
export function helmRequirement(): boolean {
  const { error } = spawnSync(HELM, ['version'])
  return requirement('helm', error === undefined, 'put it on the PATH, or name it by HELM')
}

/** `helm` on the cluster of KUBECONFIG. */
export async function helm(namespace: string, ...args: readonly string[]): Promise<string> {
  return runProgram(HELM, ['--namespace', namespace, ...args])
}

/** Values as flags: the image under test, a Service that needs no load balancer, and the given ones. */
export function chartFlags(values: Readonly<Record<string, string>>): string[] {
  const [repository = '', tag = ''] = TEST_IMAGE.split(/:(?=[^:/]*$)/)
  const all = {
    'image.repository': repository,
    'image.tag': tag,
    'image.pullPolicy': 'Never',
    'service.type': 'ClusterIP',
    ...values,
  }
  return Object.entries(all).map(([name, value]) => `--set=${name}=${value}`)
}

/**
 * Installs the chart with the image under test, or upgrades it, and waits until its pods are ready.
 *
 * @param chart Folder of the chart; default that of this work tree.
 * @throws {Error} With what the pods say, when they do not become ready.
 */
export async function installChart(
  namespace: string,
  release: string,
  values: Readonly<Record<string, string>>,
  chart = CHART,
): Promise<void> {
  // The CRDs may be there already: applied by another test, or of its release.
  const flags = ['--take-ownership', '--wait', '--timeout=120s']
  try {
    await helm(namespace, 'upgrade', '--install', release, chart, ...chartFlags(values), ...flags)
  } catch (error) {
    const pods = await kubectl(['--namespace', namespace, 'describe', 'pods'])
    throw new Error(`${String(error)}\n${pods}`, { cause: error })
  }
}

/** The cluster IP of a Service, which this machine reaches. */
export async function serviceIp(namespace: string, name: string): Promise<string> {
  const service = (await getJson(['service', name, '--namespace', namespace])) as {
    readonly spec: { readonly clusterIP: string }
  }
  return service.spec.clusterIP
}
