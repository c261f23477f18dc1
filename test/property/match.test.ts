import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { findRoute, findVirtualHost } from '../../src/table/route-index.ts'
import type { Route, RoutingTable, VirtualHost } from '../../src/table/routing-table.ts'
import { indexOf, route, tableOf, virtualHost } from '../table/build-table.ts'

const segment = fc.constantFrom('a', 'b', 'aa', 'ab', 'a%2F', '')
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}` as const)
const routes = fc.array(fc.tuple(fc.constantFrom('Exact', 'Prefix'), path), { maxLength: 8 }).map(ordered)
const host = fc.constantFrom('', 'a', 'a.b', 'b.b', '*.b', '*.a.b', 'x.a.b', 'y.x.a.b')
const hosts = fc.uniqueArray(fc.tuple(host, routes, fc.boolean()), {
  selector: ([name]) => name,
  maxLength: 5,
})

/** As compiler/precedence.ts promises: longer first, Exact before Prefix at equal length. */
function ordered(patterns: readonly (readonly ['Exact' | 'Prefix', `/${string}`])[]): Route[] {
  return patterns
    .map(([type, given], i) => {
      const trimmed = type === 'Prefix' ? `/${given.replace(/\/+$/, '').slice(1)}` : given
      return route(`${type} /${trimmed.slice(1)}`, { id: `${i} ${type} ${trimmed}` })
    })
    .sort((one, other) => other.path.length - one.path.length || one.pathType.localeCompare(other.pathType))
}

function naiveHost(table: RoutingTable, name: string): VirtualHost | undefined {
  const wildcard = name.replace(/^[^.]+\./, '*.')
  return [name, wildcard, ''].flatMap((each) => table.virtualHosts.filter((one) => one.host === each))[0]
}

function naiveRoute(virtualHost: VirtualHost, requested: string): Route | undefined {
  return virtualHost.routes.find((each) => matches(each, requested)) ?? virtualHost.defaultRoute
}

function matches({ pathType, path: wanted }: Route, requested: string): boolean {
  if (requested === wanted) return true
  return pathType === 'Prefix' && requested.startsWith(wanted === '/' ? '/' : `${wanted}/`)
}

test('the index finds what a walk over the routes in order finds', () => {
  fc.assert(
    fc.property(hosts, host, path, (given, requestedHost, requestedPath) => {
      const fallback = route('Prefix /', { id: 'default' })
      const table = tableOf(
        ...given.map(([name, list, hasDefault]) =>
          virtualHost(name, list, hasDefault ? fallback : undefined),
        ),
      )
      const requested = requestedHost.replace('*', 'star')
      const found = findVirtualHost(indexOf(table), requested)
      const expected = naiveHost(table, requested)
      expect(found?.virtualHost).toBe(expected)
      if (found !== undefined && expected !== undefined) {
        expect(findRoute(found, requestedPath)?.id).toBe(naiveRoute(expected, requestedPath)?.id)
      }
    }),
    { numRuns: 1000 },
  )
})
