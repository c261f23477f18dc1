import type { Logger } from 'pino'
import type { Settings } from '../settings/settings.ts'
import { ApiServer } from '../source/cluster/api-server.ts'
import { createClusterSource } from '../source/cluster/cluster-source.ts'
import { loadKubeConfig } from '../source/cluster/kube-config.ts'
import { getOrCreateSessionKeys } from '../source/cluster/session-key-secret.ts'
import { readSessionKeys } from '../source/session-key-file.ts'
import { followSessionKeys } from '../source/session-key.ts'
import type { OpenedSource } from './open-source.ts'

/**
 * Opens the cluster that the settings name; its session key Secret is made where it is absent.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE, ERR_SESSION_KEY_INVALID
 */
export async function openCluster(
  settings: Settings,
  logger: Logger,
  signal: AbortSignal,
): Promise<OpenedSource> {
  const {
    kubeconfig,
    watchNamespace: watchNamespaces,
    withoutClusterRights,
    namespace,
    sessionKeySecret,
    sessionKeyFile,
  } = settings
  loadKubeConfig(kubeconfig) // a kubeconfig that is not there is told now, not retried for ever
  const api = new ApiServer(() => loadKubeConfig(kubeconfig))
  const source = createClusterSource({
    api,
    logger,
    watchNamespaces,
    hasClusterRights: !withoutClusterRights,
  })
  const cluster = { api, observed: source }
  const close = (): Promise<void> => api.close()
  if (sessionKeyFile !== undefined) {
    const keys = await readSessionKeys(sessionKeyFile)
    return { source, cluster, sessionKeys: () => keys, close }
  }
  const secret = { namespace, name: sessionKeySecret }
  try {
    const initial = await getOrCreateSessionKeys({ api, logger, ...secret }, signal)
    return { source, cluster, sessionKeys: followSessionKeys(secret, initial, logger), close }
  } catch (error) {
    await api.close()
    throw error
  }
}
