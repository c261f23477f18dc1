import { expect, test } from 'vitest'
import { refusalOfAmbiguity } from '../../src/proxy/ambiguous-path.ts'
import { readTarget } from '../../src/proxy/request-target.ts'
import { findRoute, findVirtualHost } from '../../src/table/route-index.ts'
import type { Route } from '../../src/table/routing-table.ts'
import { indexOf, route, tableOf, virtualHost } from '../table/build-table.ts'

const open = { allowEncodedSlash: true, allowDoubleSlash: true }
const index = indexOf(
  tableOf(
    virtualHost('a.test', [
      route('Exact /repos/a%2Fb', open),
      route('Prefix /twice%2Fover', open),
      route('Prefix /encoded', { allowEncodedSlash: true }),
      route('Prefix /double', { allowDoubleSlash: true }),
      route('Prefix /admin/x'),
      route('Prefix /strict'),
      route('Prefix /', open),
    ]),
  ),
)

function judge(path: string): string | undefined {
  const target = readTarget(path)
  const host = findVirtualHost(index, 'a.test')
  const matched = host === undefined || !target.ok ? undefined : findRoute(host, target.path)
  if (!target.ok || host === undefined || matched === undefined) throw new Error(`${path} matches nothing`)
  return refusalOfAmbiguity(target, host, matched)
}

test.each([
  '/a%2Fb',
  '/a//b',
  '//a',
  '/a%2F%2Fb',
  '/encoded/x%2fy',
  '/double//x',
  '/strict/x',
  '/adminx%2Fy',
])('%s passes where its route allows it', (path) => {
  expect(judge(path)).toBeUndefined()
})

test.each(['/strict/a%2Fb', '/strict//b', '/encoded//x', '/double/x%2Fy', '/encoded/x%2F/y//z'])(
  '%s is refused without an opt-in',
  (path) => {
    expect(judge(path)).toMatch(/^The path holds/)
  },
)

test.each([
  '//admin/x',
  '/admin%2Fx',
  '/admin%2fx/y',
  '/admin//x',
  '/%2Fadmin/x',
  '/admin%2F/x',
  '///strict',
])('%s is refused because it is another route’s path in disguise', (path) => {
  expect(judge(path)).toMatch(/elsewhere/)
})

const guarded = (policy: string): Partial<Route> => ({
  action: { kind: 'forward', upstream: 'default/web/80', policies: [policy] },
})
const guards = indexOf(
  tableOf(
    virtualHost('a.test', [
      route('Prefix /reports/open'),
      route('Prefix /reports', guarded('default/okta')),
      route('Prefix /ledger', guarded('default/okta')),
      route('Prefix /matrix;v=1', guarded('default/okta')),
      route('Prefix /staff', { ...guarded('default/okta'), accessControl: { allowGroups: ['staff'] } }),
      route('Prefix /mutual', { clientCertificate: 'required' }),
      route('Prefix /inside', { traffic: { sourceRange: { allow: ['10.0.0.0/8'] } } }),
      route('Prefix /closed', { action: { kind: 'closed', reason: 'PluginNotFound', message: '' } }),
      route('Exact /v1/x:cancel', guarded('default/okta')),
      route('Prefix /files', { allowEncodedSlash: true }),
      route('Prefix /', {}),
    ]),
  ),
)

test.each([
  '/reports;x',
  '/reports;x/y',
  '/reports%3bx',
  '/reports%253bx',
  '/;x/reports',
  '/%2572eports',
  '/%72eports;a=b',
  '/rep%256frts/a',
  '/closed;x',
  '/mutual;x',
  '/m%2575tual/a',
  '/inside;x/y',
  '/ledger;x/y',
  '/reports/open;x/..a',
  '/reports/open;/',
  '/v1/x%253Acancel',
  '/v1/x:cancel;y',
  '/v1/x%3Acancel;',
  '/%252Freports',
  '/reports/op%2565n/..;x',
])('%s does not pass an open route by the side of a guard', (path) => {
  expect(judgement(path)).not.toBe('open')
})

test.each([
  ['/app;jsessionid=1/list', 'open'],
  ['/a;b;c/100%25', 'open'],
  ['/app%2520x', 'open'],
  ['/reports/a;v=1/b;w=2', 'default/okta'],
  ['/reports/50%25/100%2525', 'default/okta'],
  ['/mutual/a;v=1', 'open'],
  ['/inside/a;v=1', 'open'],
  ['/matrix;v=1/x', 'default/okta'],
  ['/v1/x%3acancel', 'default/okta'],
])('%s passes: every reading of it has the same guard', (path, guard) => {
  expect(judgement(path)).toBe(guard)
})

test('a path that another plugin’s groups guard is not reached beside them', () => {
  expect(judgement('/reports/%252e;')).toBe('refused')
  expect(judgement('/staff;x')).toBe('refused')
})

/** What becomes of a path: refused, or the guard that its request meets. */
function judgement(path: string): string {
  const target = readTarget(path)
  if (!target.ok) return 'refused'
  const host = findVirtualHost(guards, 'a.test')
  const matched = host && findRoute(host, target.path)
  if (host === undefined || matched === undefined) throw new Error(`${path} matches nothing`)
  if (refusalOfAmbiguity(target, host, matched) !== undefined) return 'refused'
  return matched.action.kind === 'closed' ? 'closed' : matched.action.policies.join() || 'open'
}
