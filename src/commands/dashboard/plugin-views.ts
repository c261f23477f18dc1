import type { PluginDetails, PluginSummary } from '../../admin/dashboard/dashboard-model.ts'
import { objectKey } from '../../api/object.ts'
import type { KeySet } from '../../auth/authorization-server/authorization-server-client.ts'
import { isAccepted, type RuntimeFinding } from '../../status/conditions.ts'
import type { ObjectStatus } from '../../table/diagnostic.ts'
import type { LastDiscovery } from '../server-findings.ts'
import type { Compiled } from './control-plane-record.ts'
import { conditionsOf } from './object-conditions.ts'

/** What of a plugin does not depend on requests. */
export type ConfiguredPlugin = Omit<PluginSummary, 'routes' | 'decisions'>

/** Every OIDCPlugin, those that are refused too, by namespace and name. */
export function listPlugins(
  { resources, result, table }: Compiled,
  findings: ReadonlyMap<string, RuntimeFinding>,
): readonly ConfiguredPlugin[] {
  const specs = new Map(resources.oidcPlugins.map(({ metadata, spec }) => [objectKey(metadata), spec]))
  return result.statuses.filter(isPlugin).map((status) => {
    const id = objectKey(status)
    const spec = specs.get(id)
    const policy = table.policies[id]
    return {
      id,
      issuer: policy?.server.issuer ?? (spec?.ok === true ? spec.value.issuer : ''),
      flows: policy?.methods ?? [],
      isAccepted: isAccepted(status),
      conditions: conditionsOf(status, table, findings.get(id)),
    }
  })
}

export function isPlugin({ kind }: ObjectStatus): boolean {
  return kind === 'OIDCPlugin'
}

/** Whether metadata came when they were asked for last. */
export function discoveryView(
  last: LastDiscovery | undefined,
  finding: RuntimeFinding | undefined,
): PluginDetails['discovery'] {
  if (last === undefined) return { state: 'never' }
  if (last.isOk) return { state: 'ok', atMs: last.atMs }
  return { state: 'failing', atMs: last.atMs, ...(finding && { problem: finding.message }) }
}

/** Of keys, which are public, what tells one from another. */
export function keyViews(
  set: KeySet | undefined,
  nowMs: number,
): Pick<PluginDetails, 'keys' | 'keysAgeSeconds'> {
  if (set === undefined) return { keys: [] }
  return {
    keys: set.keys.map(({ alg, crv, kid, kty, use }) => ({
      id: textOf(kid),
      algorithm: textOf(alg) || [textOf(kty), textOf(crv)].filter((part) => part !== '').join(' '),
      use: textOf(use),
    })),
    keysAgeSeconds: Math.max(0, Math.round((nowMs - set.fetchedAtMs) / 1000)),
  }
}

/** A key's members are whatever the server sent. */
function textOf(member: unknown): string {
  return typeof member === 'string' ? member : ''
}
