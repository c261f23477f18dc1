import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { Ingress } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import type { PluginClaim } from '../table/diagnostic.ts'
import type { PolicyId } from '../table/policy.ts'
import { selectSiblingIngresses } from './class.ts'
import type { Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { byAge } from './order.ts'

/**
 * Whose conditions each OIDCPlugin has, where not simply ours. Two installations that both wrote them would overwrite
 * each other for ever wherever they disagree, on a warning or on what they can reach.
 *
 * @param ours The Ingresses that we serve.
 * @returns Empty where no other installation is seen.
 */
export function claimPlugins(
  inventory: Inventory,
  ours: readonly Ingress[],
  options: CompileOptions,
): ReadonlyMap<PolicyId, PluginClaim> {
  const siblings = selectSiblingIngresses(inventory, options)
  if (siblings.length === 0) return new Map()
  const theirs = new Set(siblings)
  const owners = new Map<PolicyId, 'ours' | PluginClaim>()
  for (const ingress of [...ours, ...siblings].sort(byAge)) {
    for (const id of pluginsOf(ingress, inventory)) {
      if (!owners.has(id)) owners.set(id, theirs.has(ingress) ? 'others' : 'ours')
    }
  }
  const defaults = new Set(options.defaultPlugins)
  const claims = new Map<PolicyId, PluginClaim>()
  for (const id of inventory.oidcPlugins.keys()) {
    const owner = owners.get(id) ?? (defaults.has(id) ? 'ours' : 'nobody')
    if (owner !== 'ours') claims.set(id, owner)
  }
  return claims
}

/** Those that the Ingress names, and those that its Services do. */
function pluginsOf({ metadata, spec }: Ingress, { services }: Inventory): Set<PolicyId> {
  const backends = [
    spec.defaultBackend,
    ...spec.rules.flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? []),
  ]
  const names = new Set(backends.flatMap((backend) => backend?.service?.name ?? []))
  const named = [...names].flatMap(
    (name) => services.get(objectKey({ namespace: metadata.namespace, name })) ?? [],
  )
  const lists = [metadata, ...named.map((service) => service.metadata)].map(
    ({ annotations }) => annotations[`${ANNOTATION_PREFIX}plugins`] ?? '',
  )
  return new Set(
    lists
      .flatMap((list) => list.split(','))
      .map((text) => text.trim())
      .filter((name) => name !== '')
      .map((name) => (name.includes('/') ? name : `${metadata.namespace}/${name}`)),
  )
}
