import { readdirSync } from 'node:fs'
import path from 'node:path'
import { parseAllDocuments } from 'yaml'
import { runProgram } from '../cluster/kubectl.ts'

const CHART = 'charts/ostiary'
const HELM = process.env['HELM'] ?? 'helm'
export const GOLDEN = path.join(import.meta.dirname, 'golden')
/** What a case may say of namespaces; the test against an API server puts its own in their place. */
export const NAMESPACES = ['ostiary-system', 'observability', 'security', 'team-a', 'team-b'] as const

export const cases: readonly string[] = readdirSync(GOLDEN).sort()

export const valuesOf = (name: string): string => path.join(GOLDEN, name, 'values.yaml')

export interface ManifestObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: unknown
}

/**
 * `helm template` of the chart as release `ostiary` in namespace `ostiary-system`, with nothing asked of a cluster.
 *
 * @throws {Error} With what helm says, where it refuses.
 */
export async function render(...flags: readonly string[]): Promise<string> {
  const fixed = ['--namespace=ostiary-system', '--kube-version=1.36.0']
  return runProgram(HELM, ['template', 'ostiary', CHART, ...fixed, ...flags])
}

export function objectsIn(manifests: string): ManifestObject[] {
  return parseAllDocuments(manifests).flatMap((document) => {
    const object = document.toJS() as ManifestObject | null
    return object === null ? [] : [object]
  })
}

/** CRDs are the same in each case, and long. */
export function withoutCrds(manifests: string): string {
  return manifests
    .split(/^---\n/m)
    .filter((each) => each.trim() !== '' && !/^kind: CustomResourceDefinition$/m.test(each))
    .map((each) => `---\n${each}`)
    .join('')
}

/** The pod that a Deployment or DaemonSet would make. */
export function podOf(objects: readonly ManifestObject[]): {
  metadata: object
  spec: Record<string, unknown>
} {
  const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
  if (workload === undefined) throw new Error('the chart renders neither a Deployment nor a DaemonSet')
  const { template } = workload.spec as { template: { metadata: object; spec: Record<string, unknown> } }
  return structuredClone(template)
}
