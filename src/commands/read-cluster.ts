import { pino } from 'pino'
import type { Resources } from '../api/resources.ts'
import { OstiaryError } from '../errors.ts'
import { ApiServer } from '../source/cluster/api-server.ts'
import { createClusterSource } from '../source/cluster/cluster-source.ts'
import { loadKubeConfig } from '../source/cluster/kube-config.ts'

const PATIENCE_MS = 15_000

export interface ReadClusterOptions {
  /** Empty: all. */
  readonly watchNamespaces: readonly string[]
  /** False: nothing that belongs to the cluster is read; default true. */
  readonly hasClusterRights?: boolean
  /** Default: 15 s. */
  readonly patienceMs?: number
}

/**
 * Reads what Ostiary would read of these namespaces, once.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when not everything could be read in time, with what could not.
 */
export async function readCluster(
  kubeconfig: string | undefined,
  { watchNamespaces, hasClusterRights = true, patienceMs = PATIENCE_MS }: ReadClusterOptions,
): Promise<Resources> {
  loadKubeConfig(kubeconfig)
  const api = new ApiServer(() => loadKubeConfig(kubeconfig))
  const logger = pino({ level: 'silent' })
  const source = createClusterSource({ api, logger, watchNamespaces, hasClusterRights })
  const stop = new AbortController()
  const synced = Promise.withResolvers<void>()
  try {
    await source.start(() => {
      if (source.synced()) synced.resolve()
    }, stop.signal)
    const timeout = AbortSignal.timeout(patienceMs)
    timeout.addEventListener('abort', () => synced.resolve(), { once: true })
    await synced.promise
    if (!source.synced()) throw unreadable(source.problems())
    return source.current()
  } finally {
    stop.abort()
    await source.stopped()
    await api.close()
  }
}

function unreadable(
  problems: readonly { readonly subject: string; readonly message: string }[],
): OstiaryError {
  const what = problems.map(({ subject, message }) => `${subject}: ${message}`).join('\n')
  return new OstiaryError('ERR_SOURCE_UNAVAILABLE', what || 'the API server did not answer in time')
}
