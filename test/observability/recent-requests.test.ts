import { expect, test } from 'vitest'
import { RecentDecisions, type NotedDecision } from '../../src/observability/recent-decisions.ts'
import { RecentErrors } from '../../src/observability/recent-errors.ts'

function note(
  decisions: RecentDecisions,
  plugin: string,
  atMs: number,
  result: NotedDecision['result'],
): void {
  const fields = { notedAt: atMs, route: 'a', flow: '', result, reason: '', status: 0, consumer: '' }
  Object.assign(decisions.next(plugin, result), fields)
}

test('decisions are told newest first, and a flood of those that pass drives no refusal out', () => {
  const decisions = new RecentDecisions()
  note(decisions, 'shop/okta', 1, 'refuse')
  for (let atMs = 2; atMs <= 1000; atMs += 1) note(decisions, 'shop/okta', atMs, 'allow')
  const told = decisions.of('shop/okta')
  expect(told.map(({ notedAt }) => notedAt)).toEqual([1000, 999, 998, 997, 996, 995, 994, 993, 992, 991, 1])
  expect(decisions.of('shop/other')).toEqual([])
})

test('decisions are bounded, and what was told does not change when more come', () => {
  const decisions = new RecentDecisions()
  for (let atMs = 1; atMs <= 100; atMs += 1) note(decisions, 'shop/okta', atMs, 'refuse')
  const told = decisions.of('shop/okta')
  note(decisions, 'shop/okta', 101, 'refuse')
  expect(told).toHaveLength(40)
  expect(told.map(({ notedAt }) => notedAt)).toEqual(Array.from({ length: 40 }, (_, index) => 100 - index))
})

test('decisions of a plugin that is gone are dropped', () => {
  const decisions = new RecentDecisions()
  note(decisions, 'shop/okta', 1, 'refuse')
  note(decisions, 'shop/gone', 1, 'refuse')
  decisions.retain({ 'shop/okta': {} })
  expect([decisions.of('shop/okta').length, decisions.of('shop/gone').length]).toEqual([1, 0])
})

test('errors are kept of the routes that failed last, ten of each', () => {
  const errors = new RecentErrors()
  const fail = (route: string, atMs: number): void => {
    Object.assign(errors.next(route), { notedAt: atMs, status: 502, reason: 'upstream_failed', endpoint: '' })
  }
  for (let atMs = 1; atMs <= 12; atMs += 1) fail('first', atMs)
  expect(errors.of('first').map(({ notedAt }) => notedAt)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3])
  for (let route = 1; route <= 499; route += 1) fail(`route ${route}`, 20)
  fail('first', 21)
  fail('one too many', 22)
  expect(errors.of('route 1')).toEqual([])
  expect(errors.of('first')[0]?.notedAt).toBe(21)
  expect(errors.of('one too many')).toHaveLength(1)
})
