import { describe, expect, test } from 'vitest'
import { findLogout, mayLogOut } from '../../../src/auth/logout/find-logout.ts'
import type { RequestFacts } from '../../../src/auth/request-facts.ts'
import type { Policy } from '../../../src/table/policy.ts'
import { aPolicy } from '../../support/a-policy.ts'
import { someFacts } from '../../support/authorizer-harness.ts'

function policyWith(logout: Partial<Policy['logout']>, methods: Policy['methods'] = ['session']): Policy {
  const policy = aPolicy({ methods })
  return { ...policy, logout: { ...policy.logout, ...logout } }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

function posting(form: string, headers: RequestFacts['headers'] = FORM): RequestFacts {
  return someFacts(headers, { method: 'POST', form: async () => new URLSearchParams(form) })
}

async function leaves(policy: Policy, facts: RequestFacts): Promise<boolean> {
  return (await findLogout([policy], facts)).length > 0
}

describe('a request logs out', () => {
  test.each<[string, Partial<Policy['logout']>, RequestFacts, boolean]>([
    [
      'by the end of its path',
      { pathSuffix: '/out' },
      someFacts({}, { method: 'POST', path: '/a/out' }),
      true,
    ],
    ['not by its middle', { pathSuffix: '/out' }, someFacts({}, { method: 'POST', path: '/out/a' }), false],
    [
      'not by a longer last segment',
      { pathSuffix: '/out' },
      someFacts({}, { method: 'POST', path: '/a/layout' }),
      false,
    ],
    [
      'not by the query as path',
      { pathSuffix: '/out' },
      someFacts({}, { method: 'POST', query: 'a=/out' }),
      false,
    ],
    [
      'by an argument with a value',
      { queryArgument: 'out' },
      someFacts({}, { method: 'POST', query: 'out=1' }),
      true,
    ],
    [
      'by an argument without',
      { queryArgument: 'out' },
      someFacts({}, { method: 'POST', query: 'a&out' }),
      true,
    ],
    [
      'not by part of one',
      { queryArgument: 'out' },
      someFacts({}, { method: 'POST', query: 'outer=1&a=out' }),
      false,
    ],
    ['by a form field', { postArgument: 'out' }, posting('a=1&out='), true],
    ['not by another field', { postArgument: 'out' }, posting('a=out'), false],
    [
      'not by a body of another kind',
      { postArgument: 'out' },
      posting('out=1', { 'content-type': 'text/plain' }),
      false,
    ],
    ['not by a method that is not listed', { pathSuffix: '/out' }, someFacts({}, { path: '/out' }), false],
    ['by one that is', { pathSuffix: '/out', methods: ['GET'] }, someFacts({}, { path: '/out' }), true],
    ['by none where none is listed', { pathSuffix: '/out', methods: [] }, posting(''), false],
  ])('%s', async (_name, logout, facts, expected) => {
    expect(await leaves(policyWith(logout), facts)).toBe(expected)
  })

  test('without its body being read where no policy has a field for it', async () => {
    const facts = someFacts(FORM, {
      method: 'POST',
      form: () => Promise.reject(new Error('nobody asked for it')),
    })
    expect(await leaves(policyWith({ queryArgument: 'out' }), facts)).toBe(false)
  })
})

test('only policies with sessions and a way to say so can', () => {
  expect(mayLogOut(policyWith({ pathSuffix: '/out' }))).toBe(true)
  expect(mayLogOut(policyWith({}))).toBe(false)
  expect(mayLogOut(policyWith({ pathSuffix: '/out' }, ['bearer']))).toBe(false)
})
