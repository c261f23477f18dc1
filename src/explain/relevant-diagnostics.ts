import type { ObjectReference } from '../api/object.ts'
import type { Resources } from '../api/resources.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { Route } from '../table/routing-table.ts'
import { namesHost } from './names-host.ts'

const PLUGINS = 'ostiary.dev/plugins'

/**
 * What is known to be wrong with the objects that a request meets: without a route, with the Ingresses that name its
 * host. With one, too, what keeps others from that host: it may be theirs that the request was meant for.
 */
export function relevantDiagnostics(
  diagnostics: readonly Diagnostic[],
  resources: Resources,
  { host, route }: { readonly host: string; readonly route: Route | undefined },
): Diagnostic[] {
  const met = new Set((route === undefined ? [] : objectsOf(resources, route)).map(keyOf))
  const named = new Set(ingressesOf(resources, host).map(keyOf))
  return diagnostics.filter(({ object, reason }) => {
    const key = keyOf(object)
    return met.has(key) || (named.has(key) && (route === undefined || reason === 'HostNotOwned'))
  })
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace}/${name}`
}

function ingressesOf({ ingresses }: Resources, host: string): ObjectReference[] {
  return ingresses
    .filter((ingress) => namesHost(ingress, host))
    .map(({ metadata: { namespace, name } }) => ({ kind: 'Ingress', namespace, name }))
}

/** Plugins by the annotations, since those of a closed route are in no table. */
function objectsOf(resources: Resources, { ingress, service, action }: Route): ObjectReference[] {
  const { namespace } = ingress
  const guards = [...resources.ingresses, ...resources.services].filter(
    ({ kind, metadata }) =>
      metadata.namespace === namespace && metadata.name === (kind === 'Ingress' ? ingress.name : service),
  )
  const named = guards.flatMap(({ metadata }) => (metadata.annotations[PLUGINS] ?? '').split(','))
  const compiled = action.kind === 'forward' ? action.policies : []
  const plugins = [...named, ...compiled].map((each) => each.trim()).filter((each) => each !== '')
  return [
    { kind: 'Ingress', ...ingress },
    { kind: 'Service', namespace, name: service },
    ...plugins.map((plugin) => pluginReference(plugin, namespace)),
  ]
}

function pluginReference(plugin: string, namespace: string): ObjectReference {
  const slash = plugin.indexOf('/')
  return slash === -1
    ? { kind: 'OIDCPlugin', namespace, name: plugin }
    : { kind: 'OIDCPlugin', namespace: plugin.slice(0, slash), name: plugin.slice(slash + 1) }
}
