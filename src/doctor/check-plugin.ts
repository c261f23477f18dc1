import { hostRoutes } from '../table/host-routes.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { PolicyId } from '../table/policy.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** What a compile gave, as far as one plugin is concerned. */
export interface CompiledInput {
  readonly table: RoutingTable
  readonly diagnostics: readonly Diagnostic[]
  /** `namespace/name` of every OIDCPlugin that was read, accepted or not. */
  readonly plugins: readonly PolicyId[]
}

/** Whether the plugin exists and was accepted, with the compiler's own words on it, and whether a route names it. */
export function checkPlugin(input: CompiledInput, id: PolicyId): readonly Finding[] {
  const findings = diagnosticsOf(input.diagnostics, id).map(({ severity, path, message, remedy }) =>
    (severity === 'error' ? failed : warning)('plugin', `${path} ${message}`, remedy),
  )
  if (!input.plugins.includes(id) && findings.length === 0) return [notFound(input.plugins, id)]
  if (input.table.policies[id] === undefined) {
    if (findings.some(({ outcome }) => outcome === 'failed')) return findings
    return [...findings, failed('plugin', `${id} is not accepted`, 'See ostiary check for what is wrong.')]
  }
  return [ok('plugin', `${id} is accepted`), ...findings, checkRoutes(input.table, id)]
}

function diagnosticsOf(diagnostics: readonly Diagnostic[], id: PolicyId): readonly Diagnostic[] {
  return diagnostics.filter(
    ({ object, severity }) =>
      severity !== 'info' && object.kind === 'OIDCPlugin' && `${object.namespace}/${object.name}` === id,
  )
}

function notFound(plugins: readonly PolicyId[], id: PolicyId): Finding {
  const others = plugins.length === 0 ? 'There is none at all.' : `There are: ${plugins.join(', ')}.`
  return failed('plugin', `there is no OIDCPlugin ${id}`, `${others} Name one of them, or create it.`)
}

function checkRoutes(table: RoutingTable, id: PolicyId): Finding {
  const name = id.slice(id.indexOf('/') + 1)
  const count = table.virtualHosts.flatMap(hostRoutes).filter(({ action }) => {
    return action.kind === 'forward' && action.policies.includes(id)
  }).length
  if (count > 0) return ok('routes', `${count} ${count === 1 ? 'route is' : 'routes are'} guarded by it`)
  return warning(
    'routes',
    'no open route is guarded by it',
    `Annotate an Ingress: kubectl annotate ingress <name> ostiary.dev/plugins=${name}; ostiary check tells of routes that are closed.`,
  )
}
