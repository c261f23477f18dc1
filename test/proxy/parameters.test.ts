import { expect, test } from 'vitest'
import { withoutParameters } from '../../src/proxy/parameters.ts'

test.each([
  ['a=1&client_secret=x&b=2', 'a=1&b=2'],
  ['client_secret=x', ''],
  ['client_secret', ''],
  ['client%5fsecret=x&client%5Fsecret=y&a=%20+%zz', 'a=%20+%zz'],
  ['?client_secret=x&a=1', 'a=1'],
  ['a=client_secret&&client_secrets=1&=&x=1=2', 'a=client_secret&&client_secrets=1&=&x=1=2'],
  ['the+name=1&the%20name=2&the name=3&a', 'a'],
  ['', ''],
])('of %j stays %j', (encoded, rest) => {
  const names = ['client_secret', 'the name']
  expect(withoutParameters(encoded, names)).toBe(rest)
  for (const name of names) expect(new URLSearchParams(rest).has(name)).toBe(false)
  expect(withoutParameters(encoded, [])).toBe(encoded)
})
