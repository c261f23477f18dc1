import type { Logger } from 'pino'
import type { Resources } from '../api/resources.ts'
import type { Settings } from '../settings/settings.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import type { ClusterSource } from '../source/cluster/cluster-source.ts'
import { createDirectorySource } from '../source/directory/directory-source.ts'
import { readSessionKeys } from '../source/session-key-file.ts'
import type { SessionKeys } from '../source/session-key.ts'
import type { Source } from '../source/source.ts'

/** Where objects and session keys come from. */
export interface OpenedSource {
  readonly source: Source
  /** The session keys in force, given what the source lists. */
  readonly sessionKeys: (resources: Resources) => SessionKeys
  /** Of a cluster only: where statuses are written, and what is observed there. */
  readonly cluster?: { readonly api: ApiServer; readonly observed: ClusterSource }
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
  const { manifests, sessionKeyFile } = settings
  if (manifests !== undefined) {
    const keys = await readSessionKeys(sessionKeyFile)
    const source = createDirectorySource({ root: manifests, logger })
    return { source, sessionKeys: () => keys, close: () => Promise.resolve() }
  }
  // Loaded here: the Kubernetes client costs half a second and 85 MB, which a directory has no use for.
  const { openCluster } = await import('./open-cluster.ts')
  return openCluster(settings, logger, signal)
}
