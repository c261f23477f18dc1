import type { Logger } from 'pino'
import type { Resources } from '../api/resources.ts'
import type { Settings } from '../settings/settings.ts'
import { ApiServer } from '../source/cluster/api-server.ts'
import { createClusterSource } from '../source/cluster/cluster-source.ts'
import { loadKubeConfig } from '../source/cluster/kube-config.ts'
import { getOrCreateSessionKeys } from '../source/cluster/session-key-secret.ts'
import { createDirectorySource } from '../source/directory/directory-source.ts'
import { readSessionKeys } from '../source/session-key-file.ts'
import { followSessionKeys, type SessionKeys } from '../source/session-key.ts'
import type { Source } from '../source/source.ts'

/** Where objects and session keys come from. */
export interface OpenedSource {
  readonly source: Source
  /** The session keys in force, given what the source lists. */
  readonly sessionKeys: (resources: Resources) => SessionKeys
  /** Closes connections; to be called after the source has stopped. */
  close(): Promise<void>
}

/**
 * Opens what the settings name: a directory, or a cluster, whose session key Secret is made where it is absent.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE, ERR_SESSION_KEY_INVALID
 */
export async function openSource(
  settings: Settings,
  logger: Logger,
  signal: AbortSignal,
): Promise<OpenedSource> {
  const { manifests, kubeconfig, watchNamespace, namespace, sessionKeySecret, sessionKeyFile } = settings
  if (manifests !== undefined) {
    const keys = await readSessionKeys(sessionKeyFile)
    const source = createDirectorySource({ root: manifests, logger })
    return { source, sessionKeys: () => keys, close: () => Promise.resolve() }
  }
  loadKubeConfig(kubeconfig) // a kubeconfig that is not there is told now, not retried for ever
  const api = new ApiServer(() => loadKubeConfig(kubeconfig))
  const source = createClusterSource({ api, logger, watchNamespaces: watchNamespace })
  const close = (): Promise<void> => api.close()
  if (sessionKeyFile !== undefined) {
    const keys = await readSessionKeys(sessionKeyFile)
    return { source, sessionKeys: () => keys, close }
  }
  const secret = { namespace, name: sessionKeySecret }
  try {
    const initial = await getOrCreateSessionKeys({ api, logger, ...secret }, signal)
    return { source, sessionKeys: followSessionKeys(secret, initial, logger), close }
  } catch (error) {
    await api.close()
    throw error
  }
}
