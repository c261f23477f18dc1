import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addressesOfNode } from '../../src/status/node-addresses.ts'
import { clusterRequirement } from '../support/requirements.ts'
import { TEST_IMAGE } from './helm.ts'
import { apply, createNamespace, getJson, installCrds, kubectl } from './kubectl.ts'
import { ingressClass, ingressFor } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'
import { boundRole, OWN_RULES, WATCHED_RULES, writeServiceAccountKubeconfig } from './service-account.ts'

const LIVE = { timeout: 45_000, interval: 100 }
const LABELS = { app: 'stand-in' }

/** The process runs on this machine, and pods stand in for those that it would be one of. */
describe.skipIf(clusterRequirement())('--publish-node-addresses', () => {
  let namespace: string
  let folder: string
  let ostiary: OstiaryProcess | undefined

  const cluster = () => `ostiary-nodes-${namespace}`
  const addresses = async (): Promise<string[]> => {
    const path = '-o=jsonpath={.status.loadBalancer.ingress[*].ip}'
    return (await kubectl(['-n', namespace, 'get', 'ingress', 'web', path]))
      .split(' ')
      .filter((each) => each !== '')
  }

  beforeAll(async () => {
    await installCrds()
    folder = await mkdtemp(path.join(tmpdir(), 'ostiary-nodes-'))
    namespace = await createNamespace('ostiary-nodes')
    const account = { namespace, name: 'ostiary' }
    const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }
    await apply(
      namespace,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account.name } },
      ...boundRole('own', account, [...OWN_RULES, ...WATCHED_RULES, pods]),
      ...clusterRole(account),
      ingressClass(namespace, `ostiary.dev/${namespace}`),
      ingressFor('web', { className: namespace, host: 'web.nodes.test' }),
      standIn(),
    )
    await kubectl(['-n', namespace, 'rollout', 'status', 'deployment/stand-in', '--timeout=120s'])
    await writeServiceAccountKubeconfig(path.join(folder, 'kubeconfig'), namespace, account.name)
  })

  afterAll(async () => {
    ostiary?.kill()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    if (namespace === undefined) return
    await kubectl(['delete', 'clusterrole,clusterrolebinding', cluster(), '--ignore-not-found'])
    await kubectl(['delete', 'ingressclass', namespace, '--ignore-not-found'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  function clusterRole(account: { readonly namespace: string; readonly name: string }): object[] {
    const rules = [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['networking.k8s.io'], resources: ['ingressclasses'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
    ]
    const metadata = { name: cluster() }
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: cluster() }
    return [
      { apiVersion, kind: 'ClusterRole', metadata, rules },
      {
        apiVersion,
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef,
        subjects: [{ kind: 'ServiceAccount', ...account }],
      },
    ]
  }

  /** Two pods of a Deployment, which gives them a label of their revision. */
  function standIn(): object {
    const container = {
      name: 'wait',
      image: TEST_IMAGE,
      imagePullPolicy: 'Never',
      command: ['node', '-e', 'setInterval(() => {}, 1e6)'],
    }
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] }
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'stand-in' },
      spec: {
        replicas: 2,
        selector: { matchLabels: LABELS },
        template: { metadata: { labels: LABELS }, spec },
      },
    }
  }

  test('an Ingress gets the addresses of the nodes of our pods, and loses them with the last one', async () => {
    const pods = await kubectl(['-n', namespace, 'get', 'pods', '-o=jsonpath={.items[*].metadata.name}'])
    const nodes = await kubectl(['-n', namespace, 'get', 'pods', '-o=jsonpath={.items[*].spec.nodeName}'])
    const expected = await Promise.all(
      [...new Set(nodes.split(' '))].map(async (name) => addressesOfNode(await getJson(['node', name]))),
    )
    expect(expected.flat()).not.toEqual([])
    const flags = [
      `--namespace=${namespace}`,
      `--kubeconfig=${path.join(folder, 'kubeconfig')}`,
      `--watch-namespace=${namespace}`,
      `--controller-class=ostiary.dev/${namespace}`,
      '--publish-node-addresses',
      '--update-status-on-shutdown',
    ]
    ostiary = new OstiaryProcess(flags, { POD_NAME: pods.split(' ')[0]! })
    await ostiary.ready()
    await expect.poll(addresses, LIVE).toEqual([...new Set(expected.flat())].toSorted())
    expect(ostiary.log).not.toMatch(/forbidden|cannot be (read|written)/i)
    expect(await ostiary.stop()).toBe(0)
    expect(await addresses()).toEqual([])
    expect(ostiary.log).not.toMatch(/forbidden|cannot be (read|written|released)/i)
  })
})
