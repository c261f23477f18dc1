import { expect, test } from 'vitest'
import { readTarget } from '../../src/proxy/request-target.ts'
import { refusalOfSlashes } from '../../src/proxy/slash-policy.ts'
import { createRouteIndex, findRoute, findVirtualHost } from '../../src/table/route-index.ts'
import { route, tableOf, virtualHost } from '../table/build-table.ts'

const open = { allowEncodedSlash: true, allowDoubleSlash: true }
const index = createRouteIndex(
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
  return refusalOfSlashes(target, host, matched)
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
