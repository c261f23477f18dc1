import { expect, test } from 'vitest'
import { joinConditions, nextStatus, type DesiredCondition } from '../../src/status/conditions.ts'
import type { ObjectStatus } from '../../src/table/diagnostic.ts'
import { EMPTY_TABLE } from '../../src/table/routing-table.ts'
import { aPolicy } from '../support/a-policy.ts'

const THEN = '2026-01-01T00:00:00Z'
const NOW = '2026-01-02T00:00:00Z'

function desired(rest: Partial<DesiredCondition> = {}): DesiredCondition[] {
  return [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', ...rest }]
}

function plugin(conditions: ObjectStatus['conditions']): ObjectStatus {
  return { kind: 'OIDCPlugin', namespace: 'shop', name: 'okta', observedGeneration: 3, conditions }
}

test('what is written already is not written again, however it is ordered and whatever else is there', () => {
  const written = nextStatus(3, desired(), undefined, THEN)
  expect(written).toEqual({
    observedGeneration: 3,
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        reason: 'Accepted',
        message: '',
        observedGeneration: 3,
        lastTransitionTime: THEN,
      },
    ],
  })
  const more = { ...written, conditions: [{ type: 'Foreign', status: 'True' }, ...written!.conditions] }
  expect(nextStatus(3, desired(), more, NOW)).toBeUndefined()
})

test.each([
  ['generation', 4, {}, THEN],
  ['reason', 3, { reason: 'NoWarning' }, THEN],
  ['message', 3, { message: 'other' }, THEN],
  ['status', 3, { status: 'False' }, NOW],
] as const)(
  'a different %s is written; the time moves with the status alone',
  (_, generation, rest, time) => {
    const before = nextStatus(3, desired(), undefined, THEN)
    const next = nextStatus(generation, desired(rest), before, NOW)
    expect(next?.conditions).toMatchObject([
      { observedGeneration: generation, lastTransitionTime: time, ...rest },
    ])
  },
)

test.each([
  null,
  'True',
  { conditions: 'none' },
  { conditions: [null, 7] },
  { observedGeneration: 3, conditions: [{ type: 'Accepted', status: 'True', lastTransitionTime: 7 }] },
])('a status that is no status (%j) is written over', (observed) => {
  expect(nextStatus(3, desired(), observed, NOW)?.conditions).toMatchObject([{ lastTransitionTime: NOW }])
})

test('Programmed follows the table that the threads run on, and says why not', () => {
  const table = { ...EMPTY_TABLE, policies: { 'shop/okta': aPolicy({ id: 'shop/okta' }) } }
  const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' } as const
  const missing = { type: 'ResolvedRefs', status: 'False', reason: 'SecretNotFound', message: 'x' } as const
  expect(joinConditions(plugin([accepted]), table, undefined).at(-1)).toEqual({
    type: 'Programmed',
    status: 'True',
    reason: 'Programmed',
    message: '',
  })
  expect(joinConditions(plugin([accepted, missing]), EMPTY_TABLE, undefined).at(-1)).toMatchObject({
    status: 'False',
    reason: 'SecretNotFound',
  })
  expect(joinConditions(plugin([accepted]), EMPTY_TABLE, undefined).at(-1)).toMatchObject({
    status: 'False',
    reason: 'NotProgrammed',
  })
})

test('what is found at run time is a warning beside those of the compiler', () => {
  const finding = { reason: 'DiscoveryFailed', message: 'no answer' } as const
  const none = { type: 'Warning', status: 'False', reason: 'NoWarning', message: '' } as const
  const one = { type: 'Warning', status: 'True', reason: 'InsecureOption', message: 'http' } as const
  expect(joinConditions(plugin([none]), EMPTY_TABLE, finding)[0]).toEqual({
    type: 'Warning',
    status: 'True',
    ...finding,
  })
  expect(joinConditions(plugin([one]), EMPTY_TABLE, finding)[0]).toMatchObject({
    reason: 'DiscoveryFailed',
    message: 'no answer\nhttp',
  })
})
