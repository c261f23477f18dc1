import { describe, expect, test } from 'vitest'
import { findRoute, findVirtualHost, type IndexedHost } from '../../src/table/route-index.ts'
import type { Route } from '../../src/table/routing-table.ts'
import { indexOf, route, tableOf, virtualHost } from './build-table.ts'

function indexed(routes: readonly Route[], defaultRoute?: Route): IndexedHost {
  const host = findVirtualHost(indexOf(tableOf(virtualHost('a.test', routes, defaultRoute))), 'a.test')
  if (host === undefined) throw new Error('host not indexed')
  return host
}

describe('hosts', () => {
  const hosts = ['', '*.foo.com', 'bar.foo.com', 'foo.bar.com', 'single']
  const index = indexOf(tableOf(...hosts.map((host) => virtualHost(host, []))))
  const withoutCatchAll = indexOf(tableOf(virtualHost('*.foo.com', []), virtualHost('foo.bar.com', [])))

  test.each([
    ['foo.bar.com', 'foo.bar.com'],
    ['bar.foo.com', 'bar.foo.com'],
    ['other.foo.com', '*.foo.com'],
    ['single', 'single'],
    ['baz.bar.foo.com', ''],
    ['foo.com', ''],
    ['.foo.com', ''],
    ['*.foo.com', '*.foo.com'],
    ['unknown', ''],
    ['', ''],
    ['[::1]', ''],
  ])('%s is served by "%s"', (host, expected) => {
    expect(findVirtualHost(index, host)?.virtualHost.host).toBe(expected)
  })

  test.each(['baz.bar.foo.com', 'foo.com', '.foo.com', 'com', '', 'constructor', '__proto__'])(
    '%s is served by nobody where no host is hostless',
    (host) => {
      expect(findVirtualHost(withoutCatchAll, host)).toBeUndefined()
    },
  )
})

describe('paths', () => {
  // The rules of ingress-controller-conformance, path_rules.feature.
  test.each<[routes: Route[], path: string, expected: string | undefined]>([
    [[route('Exact /foo')], '/foo', 'Exact /foo'],
    [[route('Exact /foo')], '/foo/', undefined],
    [[route('Exact /foo')], '/FOO', undefined],
    [[route('Prefix /foo')], '/foo', 'Prefix /foo'],
    [[route('Prefix /foo')], '/foo/', 'Prefix /foo'],
    [[route('Prefix /foo')], '/foo/bar', 'Prefix /foo'],
    [[route('Prefix /foo')], '/foobar', undefined],
    [[route('Prefix /foo')], '/FOO', undefined],
    [[route('Prefix /aaa/bbb'), route('Prefix /aaa')], '/aaa/bbb/ccc', 'Prefix /aaa/bbb'],
    [[route('Prefix /aaa/bbb'), route('Prefix /aaa')], '/aaa/ccc', 'Prefix /aaa'],
    [[route('Prefix /aaa/bbb'), route('Prefix /aaa')], '/aaa/bbbb', 'Prefix /aaa'],
    [[route('Prefix /aaa/bbb'), route('Prefix /aaa')], '/aaaccc', undefined],
    [[route('Exact /foo'), route('Prefix /foo')], '/foo', 'Exact /foo'],
    [[route('Exact /foo'), route('Prefix /foo')], '/foo/', 'Prefix /foo'],
    [[route('Exact /foo/'), route('Prefix /foo')], '/foo/', 'Exact /foo/'],
    [[route('Prefix /')], '/', 'Prefix /'],
    [[route('Prefix /')], '/a/b', 'Prefix /'],
    [[route('Prefix /a'), route('Prefix /')], '/b/a', 'Prefix /'],
    [[route('Exact /')], '/', 'Exact /'],
    [[route('Exact /')], '/a', undefined],
    [[route('Prefix /a'), route('Prefix /')], '//a', 'Prefix /'],
    [[route('Prefix /a'), route('Prefix /')], '/a//b', 'Prefix /a'],
    [[route('Prefix /a')], '/a%2Fb', undefined],
    [[route('Prefix /')], '*', undefined],
  ])('of %j, %s is served by %s', (routes, path, expected) => {
    expect(findRoute(indexed(routes), path)?.id).toBe(expected)
  })

  test('the default route serves paths that no route matches, and only those', () => {
    const fallback = route('Prefix /', { id: 'default' })
    const host = indexed([route('Prefix /a')], fallback)
    expect(findRoute(host, '/a/b')?.id).toBe('Prefix /a')
    expect(findRoute(host, '/b')?.id).toBe('default')
  })

  test('of two routes with one type and path, the first counts', () => {
    const host = indexed([route('Prefix /a', { id: 'older' }), route('Prefix /a', { id: 'younger' })])
    expect(findRoute(host, '/a/x')?.id).toBe('older')
  })

  test('looks a long path up no more often than the longest prefix has segments', () => {
    const host = indexed([route('Prefix /a/b'), route('Prefix /')])
    let lookups = 0
    const prefixes = new Proxy(host.prefixes, {
      get(target, property) {
        if (property === 'size') return target.size
        return (key: string) => {
          lookups += 1
          return target.get(key)
        }
      },
    })
    expect(findRoute({ ...host, prefixes }, '/x'.repeat(30_000))?.id).toBe('Prefix /')
    expect(lookups).toBeLessThan(5)
  })
})
