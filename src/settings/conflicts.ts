import type { Settings } from './settings.ts'

/** Flags that are right each by itself but cannot hold together, a line for each. */
export function conflictsOf(settings: Settings): string[] {
  return [
    ...filesConflicts(settings),
    ...clusterRightsConflicts(settings),
    ...addressConflicts(settings),
    ...dashboardConflicts(settings),
  ]
}

/** What files have no use for: whoever asks for it expects less to be served, or something to be written. */
function filesConflicts(settings: Settings): string[] {
  if (settings.manifests === undefined) return []
  const { kubeconfig, publishService, publishStatusAddress, watchNamespace } = settings
  const ofClusters: readonly (readonly [flag: string, isGiven: boolean])[] = [
    ['--kubeconfig', kubeconfig !== undefined],
    ['--watch-namespace', watchNamespace.length > 0],
    ['--without-cluster-rights', settings.withoutClusterRights],
    ['--publish-service', publishService !== undefined],
    ['--publish-status-address', publishStatusAddress.length > 0],
    ['--publish-node-addresses', settings.publishNodeAddresses],
    ['--update-status-on-shutdown', settings.updateStatusOnShutdown],
  ]
  return ofClusters
    .filter(([, isGiven]) => isGiven)
    .map(([flag]) => `${flag}: is for clusters, and cannot be used with --manifests`)
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

/** Without a plugin the dashboard would be open to whoever finds it, and a plugin without a host guards nothing. */
function dashboardConflicts({ dashboard, dashboardHost, dashboardPlugin }: Settings): string[] {
  const found: string[] = []
  if (dashboardHost !== undefined && dashboardPlugin === undefined) {
    found.push('--dashboard-host: needs --dashboard-plugin, the OIDCPlugin that guards it')
  }
  if (dashboardPlugin !== undefined && dashboardHost === undefined) {
    found.push('--dashboard-plugin: needs --dashboard-host, the host that it guards')
  }
  if (!dashboard && dashboardHost !== undefined) {
    found.push('--dashboard-host: there is no dashboard with --dashboard=false')
  }
  return found
}
