import { expect, test } from 'vitest'
import { normalPath } from '../../src/table/normal-path.ts'

test.each([
  ['/plain/path', '/plain/path'],
  ['/%7Euser/%41%2d%5F', '/~user/A-_'],
  ['/a%3ab%2c', '/a:b,'],
  ['/%21%24%26%27%28%29%2a%2b%2C%3b%3D%3A%40', "/!$&'()*+,;=:@"],
  ['/a%2fb%3fc%23d%25e%22', '/a%2Fb%3Fc%23d%25e%22'],
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
