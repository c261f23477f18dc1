import { existsSync } from 'node:fs'
import type { Cluster, KubeConfig } from '@kubernetes/client-node'
import { OstiaryError } from '../../errors.ts'
import { KubeConfigWithTokenFiles } from './token-files.ts'

const IN_CLUSTER_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'
/** What client-node falls back to where it finds nothing at all. */
const NOTHING_FOUND = 'http://localhost:8080'

/**
 * Reads how to reach the API server: from the given kubeconfig, else as a pod's service account, else from KUBECONFIG
 * or `~/.kube/config`.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE
 */
export function loadKubeConfig(file?: string): KubeConfig {
  const place = file ?? 'the kubeconfig'
  const config = new KubeConfigWithTokenFiles()
  try {
    if (file !== undefined) config.loadFromFile(file)
    else if (existsSync(IN_CLUSTER_TOKEN)) config.loadFromCluster()
    else config.loadFromDefault()
  } catch (error) {
    // A YAML parser's message quotes the file, and the file holds tokens.
    const code = (error as NodeJS.ErrnoException).code ?? 'not a kubeconfig'
    throw unavailable(`${place} cannot be read (${code})`)
  }
  const cluster = config.getCurrentCluster()
  if (file === undefined && cluster?.server === NOTHING_FOUND) {
    throw unavailable('no kubeconfig was found; set --kubeconfig, or --manifests to read files instead')
  }
  checkCluster(place, cluster)
  return config
}

function checkCluster(place: string, cluster: Cluster | null): void {
  if (cluster === null)
    throw unavailable(`${place} names no cluster in its current context; set current-context`)
  if (!URL.canParse(cluster.server)) throw unavailable(`${place} names a server that is no URL`)
  if (!cluster.server.startsWith('http:') || cluster.skipTLSVerify) return
  throw unavailable(
    `${place} names an http server, whose traffic anyone on the way can read and change; use https, or say ` +
      'insecure-skip-tls-verify: true',
  )
}

function unavailable(message: string): OstiaryError {
  return new OstiaryError('ERR_SOURCE_UNAVAILABLE', message)
}
