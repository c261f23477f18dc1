import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasDuplicateMembers } from '../../src/auth/resource-server/duplicate-members.ts'

type Json =
  { readonly members: readonly (readonly [name: string, value: Json])[] } | readonly Json[] | string | number

const NAMES = ['a', 'b', '', '1', '01', '__proto__', 'a:b', 'a"b', 'a\\', 'é']

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json[]>(1, -2.5e3, 'text', '{"a":1,"a":2}', ':', '\\', '\\":'),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.record({ members: fc.array(fc.tuple(fc.constantFrom(...NAMES), tie('json')), { maxLength: 4 }) }),
  ),
}))

function textOf(value: Json, escapesNames: boolean): string {
  if (typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map((each) => textOf(each, escapesNames)).join(' , ')}]`
  const members = value.members.map(([name, inner], index) => {
    // The same name in another spelling is the same name.
    const written = escapesNames && index % 2 === 1 ? escaped(name) : JSON.stringify(name)
    return `${written} : ${textOf(inner, escapesNames)}`
  })
  return `{${members.join(',')}}`
}

function escaped(name: string): string {
  const units = Array.from({ length: name.length }, (_, at) =>
    name.charCodeAt(at).toString(16).padStart(4, '0'),
  )
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`
}

function repeatsAName(value: Json): boolean {
  if (typeof value !== 'object') return false
  if (isList(value)) return value.some(repeatsAName)
  const names = value.members.map(([name]) => name)
  return new Set(names).size < names.length || value.members.some(([, inner]) => repeatsAName(inner))
}

function isList(value: Exclude<Json, string | number>): value is readonly Json[] {
  return Array.isArray(value)
}

test('two members of one name are told, in whatever spelling and however deep', () => {
  let repeating = 0
  fc.assert(
    fc.property(json, fc.boolean(), (value, escapesNames) => {
      const text = textOf(value, escapesNames)
      const expected = repeatsAName(value)
      if (expected) repeating += 1
      expect(hasDuplicateMembers(text, JSON.parse(text)), text).toBe(expected)
    }),
    { numRuns: 2000 },
  )
  expect(repeating).toBeGreaterThan(50)
})

test('an array nested deeper than the stack is looked through', () => {
  const depth = 100_000
  const nested = `${'['.repeat(depth)}{"a":1,"a":2}${']'.repeat(depth)}`
  expect(hasDuplicateMembers(nested, JSON.parse(nested))).toBe(true)
})
