import type { DashboardSource, PluginSummary, RouteSummary } from '../../admin/dashboard/dashboard-model.ts'
import { readQuestion } from '../../explain/question.ts'
import { relevantDiagnostics } from '../../explain/relevant-diagnostics.ts'
import { seriesKey } from '../../observability/request-metrics.ts'
import type { ReportQuestion, ThreadReport } from '../../proxy/thread-report.ts'
import type { RuntimeFinding } from '../../status/conditions.ts'
import type { Diagnostic } from '../../table/diagnostic.ts'
import type { DashboardWorld } from './dashboard-world.ts'
import { CertificateViews } from './certificate-views.ts'
import { listConsumers } from './consumer-views.ts'
import { memoized } from './memoized.ts'
import { findingDiagnostics } from './object-conditions.ts'
import { found, pageOf, searchText } from './page-of.ts'
import { discoveryView, keyViews, listPlugins, type ConfiguredPlugin } from './plugin-views.ts'
import { catalogueOf, type ListedRoute } from './route-catalogue.ts'
import { overviewOf } from './overview.ts'
import { routePolicyWords } from './route-policy-words.ts'
import {
  countsOf,
  decisionCountsOf,
  endpointStates,
  recentDecisions,
  recentErrors,
} from './thread-observations.ts'

/** What the dashboard shows, from the live process. */
export function createDashboardSource(world: DashboardWorld): DashboardSource {
  const { clock, controlPlane, threads } = world
  const catalogue = memoized(catalogueOf)
  const consumers = memoized(listConsumers)
  const certificates = new CertificateViews()
  const findings = (): ReadonlyMap<string, RuntimeFinding> =>
    world.serverFindings.of(controlPlane.compiled.table)
  const routes = () => catalogue(controlPlane.compiled.table)
  const reports = async (question: ReportQuestion): Promise<readonly ThreadReport[]> => [
    ...(await threads.reports(question)).values(),
  ]
  const diagnostics = (): readonly Diagnostic[] => [
    ...controlPlane.compiled.result.diagnostics,
    ...world.certificates.diagnostics(),
    ...findingDiagnostics(findings()),
  ]
  const pluginSummary = (plugin: ConfiguredPlugin, told: readonly ThreadReport[]): PluginSummary => ({
    ...plugin,
    routes: routes().byPlugin.get(plugin.id)?.length ?? 0,
    decisions: decisionCountsOf(told, plugin.id),
  })

  return {
    overview: () => {
      const { result, table } = controlPlane.compiled
      const next = certificates.next(table, result.certificates)
      const overview = overviewOf(world, routes(), diagnostics())
      return Promise.resolve({ ...overview, ...(next && { nextCertificate: next }) })
    },
    traffic: world.traffic,
    async routes({ search, state, ...query }) {
      const { byState, routes: all } = routes()
      const page = pageOf(found(state === undefined ? all : byState[state], search), query)
      const told = await reports(questionOf(page.items))
      return { ...page, items: page.items.map((listed) => routeSummary(listed, told, clock.now())) }
    },
    async route(id) {
      const listed = routes().byId.get(id)
      if (listed === undefined) return undefined
      const { route, upstream } = listed
      const told = await reports({ ...questionOf([listed]), errorsOf: id })
      const { resources } = controlPlane.compiled
      return {
        ...routeSummary(listed, told, clock.now()),
        endpointList: upstream === undefined ? [] : endpointStates(told, upstream, clock.now()),
        policy: routePolicyWords(route, upstream),
        lastErrors: recentErrors(told),
        diagnostics: relevantDiagnostics(diagnostics(), resources, { host: listed.shown.host, route }),
      }
    },
    async plugins() {
      const told = await reports({ decisionCounts: true })
      return listPlugins(controlPlane.compiled, findings()).map((plugin) => pluginSummary(plugin, told))
    },
    async plugin(id) {
      const { compiled } = controlPlane
      const plugin = listPlugins(compiled, findings()).find((each) => each.id === id)
      if (plugin === undefined) return undefined
      const told = await reports({ decisionCounts: true, decisionsOf: id })
      const serverId = compiled.table.policies[id]?.server.id ?? ''
      return {
        ...pluginSummary(plugin, told),
        discovery: discoveryView(world.serverFindings.lastDiscovery(serverId), findings().get(id)),
        ...keyViews(world.authorizationServers.knownKeys(serverId), clock.now()),
        recentDecisions: recentDecisions(told),
        routeIds:
          routes()
            .byPlugin.get(id)
            ?.map(({ route }) => route.id) ?? [],
        diagnostics: diagnostics().filter(
          ({ object }) => object.kind === 'OIDCPlugin' && `${object.namespace}/${object.name}` === id,
        ),
      }
    },
    consumers({ search, ...query }) {
      const page = pageOf(found(consumers(controlPlane.compiled), search), query)
      return Promise.resolve({ ...page, items: page.items.map(({ shown }) => shown) })
    },
    certificates() {
      const { result, table } = controlPlane.compiled
      return Promise.resolve(certificates.summaries(table, result.certificates))
    },
    diagnostics({ search, severity, ...query }) {
      const listed = diagnostics()
        .filter((each) => severity === undefined || each.severity === severity)
        .map((diagnostic) => ({ diagnostic, text: diagnosticText(diagnostic) }))
      const page = pageOf(found(listed, search), query)
      return Promise.resolve({ ...page, items: page.items.map(({ diagnostic }) => diagnostic) })
    },
    async explain(words) {
      return world.explain(readQuestion(words), controlPlane.compiled, diagnostics())
    },
  }
}

/** What the threads know of these routes. */
function questionOf(listed: readonly ListedRoute[]): ReportQuestion {
  return {
    series: [...new Set(listed.map(({ route }) => seriesKey(route)))],
    upstreams: [...new Set(listed.flatMap(({ upstream }) => upstream?.id ?? []))],
  }
}

function routeSummary(
  { route, shown, upstream }: ListedRoute,
  told: readonly ThreadReport[],
  nowMs: number,
): RouteSummary {
  const endpoints = upstream === undefined ? [] : endpointStates(told, upstream, nowMs)
  return {
    ...shown,
    endpoints: { total: endpoints.length, resting: endpoints.filter(({ isResting }) => isResting).length },
    ...countsOf(told, seriesKey(route)),
  }
}

function diagnosticText({ object, path, reason, message, severity }: Diagnostic): string {
  const { kind, namespace, name } = object
  return searchText([`${kind} ${namespace}/${name}`, path, reason, severity, message])
}
