import { spawnSync } from 'node:child_process'
import { requirement } from '../support/requirements.ts'
import { kubectl, runProgram } from './kubectl.ts'

const CHART = 'charts/ostiary'
const HELM = process.env['HELM'] ?? 'helm'
/** Must be on the cluster's nodes: it is never pulled. */
export const TEST_IMAGE = process.env['OSTIARY_TEST_IMAGE'] ?? 'ostiary:test'

/** For `describe.skipIf`: whether helm is absent. */
export function helmRequirement(): boolean {
  const { error } = spawnSync(HELM, ['version'])
  return requirement('helm', error === undefined, 'put it on the PATH, or name it by HELM')
}

/** `helm` on the cluster of KUBECONFIG. */
export async function helm(namespace: string, ...args: readonly string[]): Promise<string> {
  return runProgram(HELM, ['--namespace', namespace, ...args])
}

/**
 * Installs the chart with the image under test and waits until its pods are ready.
 *
 * @throws {Error} With what the pods say, when they do not become ready.
 */
export async function installChart(
  namespace: string,
  release: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const [repository = '', tag = ''] = TEST_IMAGE.split(/:(?=[^:/]*$)/)
  const all = {
    'image.repository': repository,
    'image.tag': tag,
    'image.pullPolicy': 'Never',
    'service.type': 'ClusterIP',
    ...values,
  }
  const set = Object.entries(all).map(([name, value]) => `--set=${name}=${value}`)
  try {
    await helm(namespace, 'install', release, CHART, ...set, '--wait', '--timeout=120s')
  } catch (error) {
    const pods = await kubectl(['--namespace', namespace, 'describe', 'pods'])
    throw new Error(`${String(error)}\n${pods}`, { cause: error })
  }
}
