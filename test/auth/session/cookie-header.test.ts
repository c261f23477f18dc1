import { describe, expect, it } from 'vitest'
import { cookieHeaderOf, cookieValues } from '../../../src/auth/session/cookie-header.ts'

describe('cookieValues', () => {
  it.each<[header: string, values: string[]]>([
    ['', []],
    ['a=1', ['1']],
    ['b=2; a=1', ['1']],
    ['b=2;a=1;c=3', ['1']],
    ['a=1; a=2; a=3', ['1', '2', '3']],
    ['a=', ['']],
    ['a=x=y=z', ['x=y=z']],
    ['  a= 1 ; b=2', ['1']],
    ['xa=1; a=2', ['2']],
    ['b=a=1; c=a=2', []],
    ['b=x a=1', []],
    ['b="; a=1"', ['1"']],
    ['b;a=1', ['1']],
    ['A=1', []],
    ['a', []],
    ['b=\ta=1', []],
    ['b=2;\ta=1', ['1']],
  ])('of %j are %j', (header, values) => {
    expect(cookieValues(header, 'a')).toEqual(values)
  })
})

describe('cookieHeaderOf', () => {
  it('joins fields as node:http does', () => {
    expect(cookieHeaderOf({ cookie: ['a=1', 'b=2'] })).toBe('a=1; b=2')
    expect(cookieHeaderOf({ cookie: 'a=1' })).toBe('a=1')
    expect(cookieHeaderOf({})).toBe('')
  })
})
