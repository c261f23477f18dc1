import { expect, test } from 'vitest'
import { normalPath } from '../../src/table/normal-path.ts'

test.each([
  ['/plain/path', '/plain/path'],
  ['/%7Euser/%41%2d%5F', '/~user/A-_'],
  ['/a%3ab%2c', '/a%3Ab%2C'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/café', '/caf%C3%A9'],
  ['/a b{c}', '/a%20b%7Bc%7D'],
  ['/😀', '/%F0%9F%98%80'],
  ['/%2541', '/%2541'],
  ['/100%', '/100%25'],
  ['/%%34%31', '/%2541'],
  ['/\ud800', '/%EF%BF%BD'],
])('%s becomes %s', (path, expected) => {
  expect(normalPath(path)).toBe(expected)
})
