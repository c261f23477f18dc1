import { describe, expect, test } from 'vitest'
import { parseRequirement } from '../../src/compiler/policy-requirement.ts'

describe('parseRequirement', () => {
  test.each([
    ['admin', ['admin']],
    ['a b', ['a', 'b']],
    ['  a\tb ', ['a', 'b']],
    ['"Kong Admins"', ['Kong Admins']],
    ['staff "Kong Admins" a', ['staff', 'Kong Admins', 'a']],
    ['a a', ['a']],
    ["o'neil", ["o'neil"]],
  ])('reads %j as %j', (item, words) => {
    expect(parseRequirement(item)).toEqual(words)
  })

  // Each would else be fewer words than were written: a requirement that is easier to meet.
  test.each(['', ' ', '"', '"a', 'a"', 'a"b"', '"a"b', '""', '"a" "', 'a ""'])('refuses %j', (item) => {
    expect(parseRequirement(item)).toBeUndefined()
  })
})
