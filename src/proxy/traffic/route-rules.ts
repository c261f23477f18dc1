import type { HeaderEdits, RouteTraffic } from '../../table/route-traffic.ts'
import type { Route } from '../../table/routing-table.ts'
import type { ResponseEdits } from '../response-headers.ts'
import type { RequestEdits } from '../upstream-headers.ts'
import { CorsRules } from './cors.ts'
import { PathRewriter } from './rewrite.ts'
import { SourceFilter } from './source-filter.ts'

/** A route's traffic made ready for requests. */
export class RouteRules {
  readonly traffic: RouteTraffic
  readonly cors: CorsRules | undefined
  readonly source: SourceFilter | undefined
  readonly rewriter: PathRewriter | undefined
  readonly requestEdits: RequestEdits | undefined
  readonly responseEdits: ResponseEdits | undefined

  constructor(traffic: RouteTraffic, path: string) {
    const { cors, sourceRange, rewrite } = traffic
    this.traffic = traffic
    this.cors = cors && new CorsRules(cors)
    this.source = sourceRange && new SourceFilter(sourceRange)
    this.rewriter = rewrite && new PathRewriter(rewrite, path)
    this.requestEdits = requestEdits(traffic)
    this.responseEdits = responseEdits(traffic)
  }
}

// By the table's own objects: a route that a new snapshot takes over keeps what was made of it.
const RULES = new WeakMap<RouteTraffic, RouteRules>()

/** The rules of a route; `undefined`: it has none. */
export function rulesOf({ traffic, path }: Route): RouteRules | undefined {
  if (traffic === undefined) return undefined
  let rules = RULES.get(traffic)
  if (rules === undefined) {
    rules = new RouteRules(traffic, path)
    RULES.set(traffic, rules)
  }
  return rules
}

function requestEdits({ requestHeaders, rewrite, upstreamHost }: RouteTraffic): RequestEdits | undefined {
  if (requestHeaders === undefined && rewrite === undefined && upstreamHost === undefined) return undefined
  const ours: [string, string][] = []
  if (upstreamHost !== undefined) ours.push(['Host', upstreamHost])
  if (rewrite?.forwardedPrefix !== undefined) ours.push(['X-Forwarded-Prefix', rewrite.forwardedPrefix])
  const remove = removedNames(requestHeaders)
  if (upstreamHost !== undefined) remove.add('host')
  if (rewrite !== undefined) remove.add('x-original-uri')
  return { remove, fields: [...ours, ...(requestHeaders?.set ?? []), ...(requestHeaders?.add ?? [])] }
}

function responseEdits({ responseHeaders, cors }: RouteTraffic): ResponseEdits | undefined {
  if (responseHeaders === undefined && cors === undefined) return undefined
  const { set = [], add = [] } = responseHeaders ?? {}
  return { remove: removedNames(responseHeaders), removesCors: cors !== undefined, fields: [...set, ...add] }
}

function removedNames(edits: HeaderEdits | undefined): Set<string> {
  return new Set([...(edits?.remove ?? []), ...(edits?.set ?? []).map(([name]) => name.toLowerCase())])
}
