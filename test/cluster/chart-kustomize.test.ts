import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { objectsIn, podOf } from '../chart/render.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { helmRequirement } from './helm.ts'
import { createNamespace, installCrds, kubectl, runProgram } from './kubectl.ts'

const ROOT = 'deploy/kustomize'
const DRY_RUN = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']

test.skipIf(helmRequirement())('the bases for kustomize are what the chart renders', async () => {
  expect(await runProgram('node', ['scripts/kustomize.ts', '--check'])).toContain('up to date')
})

describe.skipIf(clusterRequirement())('an overlay of the bases', () => {
  let namespace: string
  const folders: string[] = []

  beforeAll(async () => {
    await installCrds()
    namespace = await createNamespace('ostiary-kustomize')
    await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  })

  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true })
    if (namespace !== undefined) await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  /** As the README shows it, in the namespace of this test. */
  async function overlay(base: string): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-overlay-'))
    folders.push(folder)
    const patch = [{ op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--require-plugin' }]
    const kustomization = {
      namespace,
      resources: [path.relative(folder, path.resolve(ROOT, base))],
      images: [{ name: 'ostiary', newName: 'registry.example/ostiary', newTag: '9.9.9' }],
      replicas: [{ name: 'ostiary', count: 2 }],
      patches: [{ target: { kind: 'Deployment', name: 'ostiary' }, patch: JSON.stringify(patch) }],
    }
    await writeFile(path.join(folder, 'kustomization.yaml'), stringify(kustomization))
    return folder
  }

  test.each(['base', 'namespaced'])('of %s is taken by the API server', async (base) => {
    const taken = await kubectl(['apply', ...DRY_RUN, '-k', await overlay(base)])
    expect(taken).toContain('deployment.apps/ostiary serverside-applied (server dry run)')
    expect(taken.includes('customresourcedefinition')).toBe(base === 'base')
  })

  test.each(['base', 'namespaced'])('of %s moves everything to its namespace', async (base) => {
    const built = await kubectl(['kustomize', await overlay(base)])
    // A name that the former namespace is a part of.
    expect(built.replaceAll('ostiary-ostiary-system', '')).not.toContain('ostiary-system')
    const [container] = podOf(objectsIn(built)).spec['containers'] as [Container]
    expect(container.image).toBe('registry.example/ostiary:9.9.9')
    expect(container.args).toContain('--publish-service=$(POD_NAMESPACE)/ostiary')
    expect(container.args.at(-1)).toBe('--require-plugin')
  })

  test('of the CRDs alone is taken by the API server', async () => {
    const taken = await kubectl(['apply', ...DRY_RUN, '-k', path.join(ROOT, 'crds')])
    expect(taken.trim().split('\n')).toHaveLength(2)
  })
})

interface Container {
  readonly image: string
  readonly args: readonly string[]
}
