import { writeFile } from 'node:fs/promises'
import { kubectl } from './kubectl.ts'

interface Config {
  readonly clusters: readonly { readonly name: string }[]
}

/** Writes a kubeconfig of a service account, with nothing of the administrator's. */
export async function writeServiceAccountKubeconfig(
  file: string,
  namespace: string,
  account: string,
): Promise<void> {
  const token = (await kubectl(['--namespace', namespace, 'create', 'token', account])).trim()
  const { clusters } = JSON.parse(
    await kubectl(['config', 'view', '--minify', '--raw', '--flatten', '-o', 'json']),
  ) as Config
  const context = { name: 'c', context: { cluster: clusters[0]!.name, user: 'u' } }
  const users = [{ name: 'u', user: { token } }]
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters,
    users,
    contexts: [context],
    'current-context': 'c',
  }
  await writeFile(file, JSON.stringify(config))
}

/** A Role of this name, bound to an account of perhaps another namespace. */
export function boundRole(
  name: string,
  account: { readonly namespace: string; readonly name: string },
  rules: readonly object[],
): object[] {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
  const subjects = [{ kind: 'ServiceAccount', ...account }]
  return [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef,
      subjects,
    },
  ]
}

/** What is read of a watched namespace, and told in it. */
export const WATCHED_RULES: readonly object[] = [
  { apiGroups: [''], resources: ['services', 'secrets'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list', 'watch'] },
  { apiGroups: ['ostiary.dev'], resources: ['oidcplugins', 'consumers'], verbs: ['list', 'watch'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['patch'] },
  { apiGroups: ['ostiary.dev'], resources: ['oidcplugins/status', 'consumers/status'], verbs: ['patch'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'get', 'patch'] },
]

/** What is read and written in the controller's own namespace. */
export const OWN_RULES: readonly object[] = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { apiGroups: [''], resources: ['secrets'], resourceNames: ['ostiary-session-keys'], verbs: ['get'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'get', 'update'] },
]
