import { messageOf } from '../../errors.ts'
import { ApiServerError } from './api-server-error.ts'
import type { WatchedResource } from './watched-resource.ts'

/** What keeps a collection from being followed, in words, with the remedy where there is one. */
export function problemOf(resource: WatchedResource, error: unknown): string {
  if (!(error instanceof ApiServerError)) return `${codeOf(error)}${messageOf(error)}`
  switch (error.status) {
    case 401:
      return `${error.message}; the credentials are read anew`
    case 403:
      return `${error.message}; grant list and watch of ${resource.name} to the service account${otherwise(resource)}`
    case 404:
      return resource.apiVersion.startsWith('ostiary.dev/')
        ? `the custom resource is not installed; run: kubectl apply -f crds/`
        : `${error.message}; the API server does not know ${resource.apiVersion} ${resource.kind}`
    default:
      return error.message
  }
}

/** Roles in namespaces are at times all that one is given. */
function otherwise({ needsClusterRights }: WatchedResource): string {
  return needsClusterRights
    ? ' in a ClusterRole, or run with --watch-namespace and --without-cluster-rights'
    : ''
}

/** Messages of the network are at times empty, as that of an AggregateError. */
function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  const first = code ?? cause?.code
  return typeof first === 'string' && !first.startsWith('ERR_SOURCE') ? `${first} ` : ''
}
