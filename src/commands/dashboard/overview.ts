import type { Overview } from '../../admin/dashboard/dashboard-model.ts'
import { objectKey } from '../../api/object.ts'
import type { Diagnostic } from '../../table/diagnostic.ts'
import { countDiagnostics } from '../count-diagnostics.ts'
import type { DashboardWorld } from './dashboard-world.ts'
import { isPlugin } from './plugin-views.ts'
import type { RouteCatalogue } from './route-catalogue.ts'

/** How this process is, in numbers. */
export function overviewOf(
  world: Pick<
    DashboardWorld,
    'version' | 'startedAtMs' | 'controlPlane' | 'phase' | 'notReady' | 'isLeader' | 'threads'
  >,
  { byState }: RouteCatalogue,
  diagnostics: readonly Diagnostic[],
): Omit<Overview, 'nextCertificate'> {
  const { configuration, compiled } = world.controlPlane
  const { result, table } = compiled
  const plugins = result.statuses.filter(isPlugin)
  const accepted = plugins.filter((status) => table.policies[objectKey(status)] !== undefined)
  const [notReady, isLeader] = [world.notReady(), world.isLeader()]
  return {
    version: world.version,
    startedAtMs: world.startedAtMs,
    phase: world.phase(),
    ...(notReady !== undefined && { notReady }),
    ...(isLeader !== undefined && { isLeader }),
    configuration,
    threads: world.threads
      .threads()
      .map(({ name, snapshotVersion, isStuck }) => ({ name, snapshotVersion, isStuck })),
    routes: {
      open: byState.open.length,
      guarded: byState.guarded.length,
      closed: byState.closed.length,
    },
    virtualHosts: table.virtualHosts.length,
    plugins: { accepted: accepted.length, refused: plugins.length - accepted.length },
    consumers: result.statuses.length - plugins.length,
    diagnostics: countDiagnostics(diagnostics),
  }
}
