import { describe, expect, test } from 'vitest'
import { bearerChallenge } from '../../src/auth/challenge.ts'
import type { Claims } from '../../src/auth/decision.ts'
import { findShortfall, withScope } from '../../src/auth/requirements.ts'
import type { Policy, Requirement } from '../../src/table/policy.ts'
import { aPolicy } from '../support/a-policy.ts'

function shortfall(requirements: Policy['requirements'], ...sources: Claims[]): string {
  return findShortfall(aPolicy({ requirements }), sources)?.reason ?? 'met'
}

function groups(claims: Claims, anyOf: Requirement['anyOf'], claim: readonly string[] = ['groups']): string {
  return shortfall({ groups: { claim, anyOf } }, claims)
}

describe('what meets a requirement', () => {
  test.each([
    ['a word of a string', { groups: 'a b c' }, [['b']], 'met'],
    ['a string as a whole', { groups: 'Kong Admins' }, [['Kong Admins']], 'met'],
    ['an item', { groups: ['a', 'b'] }, [['b']], 'met'],
    ['an item with a space', { groups: ['Kong Admins'] }, [['Kong Admins']], 'met'],
    ['a number', { groups: 7 }, [['7']], 'met'],
    ['true', { groups: true }, [['true']], 'met'],
    ['all words', { groups: ['a', 'b'] }, [['a', 'b']], 'met'],
    ['one of several', { groups: ['c'] }, [['a', 'b'], ['c']], 'met'],
    ['some of the words', { groups: ['a'] }, [['a', 'b'], ['c']], 'missing_group'],
    ['a part of a word', { groups: 'admins' }, [['admin']], 'missing_group'],
    ['a word inside an item', { groups: ['not admin'] }, [['admin']], 'missing_group'],
    ['other case', { groups: ['Admin'] }, [['admin']], 'missing_group'],
    ['an object’s key', { groups: { admin: true } }, [['admin']], 'missing_group'],
    ['a list in a list', { groups: [['admin']] }, [['admin']], 'missing_group'],
    ['null', { groups: null }, [['null']], 'missing_group'],
    ['nothing', {}, [['undefined']], 'missing_group'],
    ['an empty list', { groups: [] }, [['admin']], 'missing_group'],
    ['an empty alternative', { groups: ['a'] }, [[]], 'missing_group'],
    ['no alternative', { groups: ['a'] }, [], 'missing_group'],
  ])('%s: %j', (_name, claims, anyOf, expected) => {
    expect(groups(claims, anyOf)).toBe(expected)
  })

  test('paths lead into nested objects, never into prototypes or lists', () => {
    const claims = { realm_access: { roles: ['admin'] }, list: ['x'] }
    expect(groups(claims, [['admin']], ['realm_access', 'roles'])).toBe('met')
    expect(groups(claims, [['1']], ['list', 'length'])).toBe('missing_group')
    expect(groups(claims, [['Object']], ['constructor', 'name'])).toBe('missing_group')
  })
})

test('the access token speaks before the ID token, which speaks where the other is silent', () => {
  const requirements = { groups: { claim: ['groups'], anyOf: [['admin']] } }
  expect(shortfall(requirements, {}, { groups: ['admin'] })).toBe('met')
  expect(shortfall(requirements, { groups: ['user'] }, { groups: ['admin'] })).toBe('missing_group')
})

describe('scopes', () => {
  const scopes = (claim: readonly string[]): Policy['requirements'] => ({
    scopes: { claim, anyOf: [['read']] },
  })

  test('are found under Okta’s name and under everybody’s', () => {
    expect(shortfall(scopes(['scope']), { scp: ['read'] })).toBe('met')
    expect(shortfall(scopes(['scp']), { scope: 'read write' })).toBe('met')
    expect(shortfall(scopes(['scope']), { scope: 'write', scp: ['read'] })).toBe('insufficient_scope')
    expect(shortfall(scopes(['realm', 'scope']), { realm: { scp: 'read' } })).toBe('insufficient_scope')
    expect(shortfall(scopes(['permissions']), { scope: 'read' })).toBe('insufficient_scope')
  })

  test('of the token response count only where the token names none', () => {
    expect(withScope({}, 'read')).toEqual({ scope: 'read' })
    expect(withScope({ scp: ['write'] }, 'read')).toEqual({ scp: ['write'] })
    expect(withScope({ scope: 'write' }, 'read')).toEqual({ scope: 'write' })
  })
})

test('each of the four has its own reason', () => {
  const of = (name: 'scopes' | 'audience' | 'groups' | 'roles'): string =>
    shortfall({ [name]: { claim: ['x'], anyOf: [['y']] } }, {})
  expect(['scopes', 'audience', 'groups', 'roles'].map((name) => of(name as 'scopes'))).toEqual([
    'insufficient_scope',
    'missing_audience',
    'missing_group',
    'missing_role',
  ])
})

test('groups that were left out for their number are told apart from none', () => {
  const overage = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://x' } } }
  expect(groups(overage, [['admin']])).toBe('group_overage')
  expect(groups({ ...overage, groups: ['user'] }, [['admin']])).toBe('missing_group')
  expect(groups({ _claim_names: { other: 'src1' } }, [['admin']])).toBe('missing_group')
})

test('a 403 names the scopes of the first alternative', () => {
  const policy = aPolicy({ requirements: { scopes: { claim: ['scope'], anyOf: [['a', 'b'], ['c']] } } })
  expect(findShortfall(policy, [{}])).toEqual({ reason: 'insufficient_scope', scope: 'a b' })
  expect(bearerChallenge('h', 'insufficient_scope', { scope: 'a b' })).toMatch(
    /error="insufficient_scope".*scope="a b"$/,
  )
  expect(bearerChallenge('h', 'insufficient_scope', { scope: 'a"b' })).not.toContain('scope="a')
})
