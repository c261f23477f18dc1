import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compiler/compile.ts'
import { createRouteIndex, findRoute, findVirtualHost, type RouteIndex } from '../../src/table/route-index.ts'
import { FILE_OPTIONS, readManifests } from './manifests.ts'

/** The matching scenarios of kubernetes-sigs/ingress-controller-conformance, on the goldens of their manifests. */

function indexOf(golden: string): RouteIndex {
  const file = path.join(import.meta.dirname, 'golden', golden, 'in.yaml')
  return createRouteIndex(compile(readManifests(readFileSync(file, 'utf8')), FILE_OPTIONS).table)
}

/** The Service that answers; `undefined` for 404. */
function serviceFor(index: RouteIndex, host: string, requestPath: string): string | undefined {
  const found = findVirtualHost(index, host)
  return found && findRoute(found, requestPath)?.service
}

describe('path_rules.feature', () => {
  const index = indexOf('exact-and-prefix-paths-match-as-the-conformance-suite-says')

  test.each([
    ['exact-path-rules', '/foo', 'foo-exact'],
    ['exact-path-rules', '/foo/', undefined],
    ['exact-path-rules', '/FOO', undefined],
    ['exact-path-rules', '/bar', undefined],
    ['prefix-path-rules', '/foo', 'foo-prefix'],
    ['prefix-path-rules', '/foo/', 'foo-prefix'],
    ['prefix-path-rules', '/FOO', undefined],
    ['prefix-path-rules', '/aaa/bbb', 'aaa-slash-bbb-prefix'],
    ['prefix-path-rules', '/aaa/bbb/ccc', 'aaa-slash-bbb-prefix'],
    ['prefix-path-rules', '/aaa/ccc', 'aaa-prefix'],
    ['prefix-path-rules', '/aaaccc', undefined],
    ['mixed-path-rules', '/foo', 'foo-exact'],
    ['mixed-path-rules', '/foo/bar', 'foo-prefix'],
    ['trailing-slash-path-rules', '/aaa/bbb', 'aaa-slash-bbb-slash-prefix'],
    ['trailing-slash-path-rules', '/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'],
    ['trailing-slash-path-rules', '/foo', undefined],
    ['trailing-slash-path-rules', '/foo/', 'foo-slash-exact'],
  ])('%s %s is for %s', (host, requestPath, service) => {
    expect(serviceFor(index, host, requestPath)).toBe(service)
  })
})

describe('host_rules.feature', () => {
  const index = indexOf('hosts-and-certificates-match-as-the-conformance-suite-says')

  test.each([
    ['foo.bar.com', 'foo-bar-com'],
    ['bar.foo.com', 'wildcard-foo-com'],
    ['subdomain.bar.com', undefined],
    ['baz.bar.foo.com', undefined],
    ['foo.com', undefined],
  ])('%s is for %s', (host, service) => {
    expect(serviceFor(index, host, '/')).toBe(service)
  })
})

describe('default_backend.feature', () => {
  const index = indexOf('default-backend-alone-serves-every-host')

  test.each([
    ['my-host', '/'],
    ['my-host', '/sub-path'],
    ['10.0.0.1', '/resource'],
  ])('%s %s is for the default backend', (host, requestPath) => {
    expect(serviceFor(index, host, requestPath)).toBe('echo-service')
  })
})
