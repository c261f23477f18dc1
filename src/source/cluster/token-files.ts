import { readFileSync } from 'node:fs'
import path from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'

interface RawKubeConfig {
  readonly users?: readonly {
    readonly name?: unknown
    readonly user?: { readonly tokenFile?: unknown } | null
  }[]
}

/**
 * A kubeconfig whose users may have a `tokenFile`, as kubectl reads it: relative to the kubeconfig, before `token`, and
 * again and again. client-node looks for a field of another name, and would ask anonymously.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo
 */
export class KubeConfigWithTokenFiles extends KubeConfig {
  override loadFromFile(...[file, options]: Parameters<KubeConfig['loadFromFile']>): void {
    super.loadFromFile(file, options)
    const files = tokenFilesOf(parse(readFileSync(file, 'utf8')) as RawKubeConfig, path.dirname(file))
    this.users = this.users.map((user) => {
      const tokenFile = files.get(user.name)
      if (tokenFile === undefined) return user
      const { token: _, ...rest } = user
      return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile } } }
    })
  }
}

function tokenFilesOf({ users = [] }: RawKubeConfig, folder: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const { name, user } of users) {
    if (typeof name !== 'string' || typeof user?.tokenFile !== 'string' || user.tokenFile === '') continue
    files.set(name, path.resolve(folder, user.tokenFile))
  }
  return files
}
