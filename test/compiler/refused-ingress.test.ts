import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compiler/compile.ts'
import { guessPath } from '../../src/compiler/guess-path.ts'
import { findRoute, findVirtualHost } from '../../src/table/route-index.ts'
import { indexOf } from '../table/build-table.ts'
import { FILE_OPTIONS, readManifests } from './manifests.ts'

interface Case {
  readonly host?: string
  readonly path?: string
  readonly pathType?: string
  readonly annotations?: string
  readonly name?: string
  readonly apiVersion?: string
  readonly kind?: string
}

/** Open routes to one Service on every host, and beside them one Ingress with a plugin that something is wrong with. */
function manifests(guarded: Case): string {
  return `${ingress({ name: 'a-open', host: 'a.test', annotations: '{}' })}---
${ingress({ name: 'a-wildcard', host: "'*.b.test'", annotations: '{}' })}---
${ingress({ name: 'a-anything', host: "''", annotations: '{}' })}---
${ingress({ path: '/admin', host: 'a.test', ...guarded })}---
${ingress({ name: 'sound', path: '/sound', host: 'a.test', annotations: '{}' })}---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { ports: [{ name: http, port: 80 }] }
`
}

function ingress({ name = 'guarded', host, path = '/', pathType = 'Prefix', ...rest }: Case): string {
  return `apiVersion: ${rest.apiVersion ?? 'networking.k8s.io/v1'}
kind: ${rest.kind ?? 'Ingress'}
metadata: { name: ${name}, annotations: ${rest.annotations ?? '{ ostiary.dev/plugins: okta }'} }
spec:
  rules:
    - host: ${host}
      http:
        paths:
          - { path: '${path}', pathType: ${pathType}, backend: { service: { name: web, port: { number: 80 } } } }
`
}

/** What a request meets: `open`, or why it is closed. */
function meets(guarded: Case, host: string, path: string): string {
  const { table } = compile(readManifests(manifests(guarded)), FILE_OPTIONS)
  const found = findVirtualHost(indexOf(table), host)
  const action = found && findRoute(found, path)?.action
  if (action === undefined) return 'nothing'
  return action.kind === 'closed' ? action.reason : 'open'
}

describe('requests for what a refused Ingress would have guarded do not fall to an open route:', () => {
  test.each<[string, Case, string, string]>([
    ['a path without slash', { path: 'admin' }, 'a.test', '/admin/x'],
    ['a path with a query', { path: '/admin?x=1' }, 'a.test', '/admin'],
    ['a path with a dot segment', { path: '/x/../admin' }, 'a.test', '/admin'],
    ['a path with a double slash', { path: '//admin' }, 'a.test', '/admin'],
    ['an Exact path', { path: 'admin', pathType: 'Exact' }, 'a.test', '/admin'],
    ['a path type that does not exist', { pathType: 'prefix' }, 'a.test', '/admin'],
    ['an annotation that is no text', { annotations: '{ ostiary.dev/plugins: [okta] }' }, 'a.test', '/admin'],
    ['an impossible name', { name: 'Guarded_App' }, 'a.test', '/admin'],
    ['the name of another Ingress', { name: 'a-open' }, 'a.test', '/admin'],
    ['a version that is not read', { apiVersion: 'networking.k8s.io/v1beta1' }, 'a.test', '/admin'],
    ['a group without a version', { apiVersion: 'networking.k8s.io' }, 'a.test', '/admin'],
    ['a kind in lower case', { kind: 'ingress' }, 'a.test', '/admin'],
    ['an upper-case host', { host: 'Admin.B.test', path: '/' }, 'admin.b.test', '/'],
    ['a host with a port', { host: "'admin.b.test:8443'", path: '/' }, 'admin.b.test', '/'],
    ['a host with a final dot', { host: 'elsewhere.test.', path: '/' }, 'elsewhere.test', '/'],
    ['an address for a host', { host: '10.1.2.3', path: '/' }, '10.1.2.3', '/'],
    [
      'a regular expression of ingress-nginx',
      { path: '/admin(/|$)(.*)', pathType: 'ImplementationSpecific' },
      'a.test',
      '/admin/x',
    ],
    [
      'a regular expression of Kong',
      { path: '/~/admin/\\d+', pathType: 'ImplementationSpecific' },
      'a.test',
      '/admin/1',
    ],
  ])('%s', (_, guarded, host, path) => {
    expect(meets(guarded, host, path)).toBe('IngressInvalid')
    // Nothing else is lost.
    expect(meets(guarded, 'a.test', '/')).toBe('open')
    expect(meets(guarded, 'a.test', '/sound')).toBe('open')
    expect(meets(guarded, 'x.b.test', '/')).toBe('open')
    expect(meets(guarded, 'nobody.test', '/')).toBe('open')
  })
})

test('a guess takes no path that another Ingress names', () => {
  expect(meets({ name: 'a-a', path: 'sound' }, 'a.test', '/sound')).toBe('open')
  expect(meets({ name: 'a-a', path: '' }, 'a.test', '/')).toBe('open')
  expect(meets({ name: 'a-a', host: 'A.test', path: '/sound' }, 'a.test', '/sound')).toBe('open')
})

test('a regular expression without plugins is taken literally, as before', () => {
  const open = { path: '/admin(/|$)(.*)', pathType: 'ImplementationSpecific', annotations: '{}' }
  expect(meets(open, 'a.test', '/admin')).toBe('open')
})

test.each([
  ['admin', '/admin'],
  ['', '/'],
  ['/a//b/', '/a/b'],
  ['/a/%2e%2e/b', '/b'],
  ['/../..', '/'],
  ['/a;x/..;y/b', '/b'],
  ['/a%zz', '/a'],
  ['/a%c0%ae', '/a'],
  ['/a%2Fb', '/a%2Fb'],
  ['^/admin$', '/admin'],
  ['/adm.*', '/adm'],
  ['/~/admin\\d', '/admin'],
  ['/~user', '/~user'],
  ['/a\u0000b', '/a'],
])('%j is guessed to be %s', (written, path) => {
  expect(guessPath(written)).toBe(path)
})
