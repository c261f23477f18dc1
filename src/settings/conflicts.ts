import type { Settings } from './settings.ts'

/** Flags that are right each by itself but cannot hold together, a line for each. */
export function conflictsOf(settings: Settings): string[] {
  return [...clusterRightsConflicts(settings), ...addressConflicts(settings)]
}

function clusterRightsConflicts(settings: Settings): string[] {
  if (!settings.withoutClusterRights) return []
  const found: string[] = []
  if (settings.watchNamespace.length === 0) {
    found.push('--without-cluster-rights: needs --watch-namespace, the namespaces that Roles are bound in')
  }
  if (settings.publishNodeAddresses) {
    found.push('--without-cluster-rights: nodes cannot be read; use --publish-service instead')
  }
  return found
}

/** Which of them counted would be a guess. */
function addressConflicts(settings: Settings): string[] {
  const { publishNodeAddresses, publishService, publishStatusAddress } = settings
  if (!publishNodeAddresses || (publishService === undefined && publishStatusAddress.length === 0)) return []
  return ['--publish-node-addresses: cannot be used with --publish-service or --publish-status-address']
}
