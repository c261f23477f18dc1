import { describe, expect, test } from 'vitest'
import { readTarget } from '../../src/proxy/request-target.ts'

describe('accepted', () => {
  test.each([
    ['/', '/', ''],
    ['/a/b', '/a/b', ''],
    ['/a/b/', '/a/b/', ''],
    ['/a?', '/a', ''],
    ['/a?x=1?y', '/a', 'x=1?y'],
    ['/a?u=../../etc&b=\\&c=%2f%00%zz', '/a', 'u=../../etc&b=\\&c=%2f%00%zz'],
    ['/.well-known/acme-challenge/x', '/.well-known/acme-challenge/x', ''],
    ['/..foo/...bar/a..b/...', '/..foo/...bar/a..b/...', ''],
    ["/a;v=1/b:c@d!$&'()*+,=", "/a;v=1/b:c@d!$&'()*+,=", ''],
    ['/%7eme/%41%3a', '/~me/A:', ''],
    ['/caf%c3%a9', '/caf%C3%A9', ''],
    ['/a{b}|c', '/a%7Bb%7D%7Cc', ''],
    ['/100%25', '/100%25', ''],
    ['/a%252e', '/a%252e', ''],
  ])('%s', (target, path, query) => {
    expect(readTarget(target)).toEqual({ ok: true, path, query, encodedSlash: false, doubleSlash: false })
  })

  test.each([
    ['/a%2fb', '/a%2Fb', true, false],
    ['/a%2Fb?c//d', '/a%2Fb', true, false],
    ['/a//b', '/a//b', false, true],
    ['//', '//', false, true],
    ['//evil.example/%2F', '//evil.example/%2F', true, true],
  ])('%s is flagged', (target, path, encodedSlash, doubleSlash) => {
    expect(readTarget(target)).toMatchObject({ ok: true, path, encodedSlash, doubleSlash })
  })

  test('slashes in the query flag nothing', () => {
    expect(readTarget('/a?b//c%2f')).toMatchObject({ ok: true, encodedSlash: false, doubleSlash: false })
  })
})

describe('refused', () => {
  test.each([
    '',
    '*',
    'example.com:443',
    'http://example.com/',
    '?a',
    // dot segments, plain and encoded, with parameters, behind other separators, in two layers
    '/.',
    '/..',
    '/./a',
    '/a/../b',
    '/a/..?q',
    '/%2e',
    '/%2e%2E/a',
    '/.%2e/a',
    '/a/..;/b',
    '/a/..;x=1/b',
    '/a/.;/b',
    '/a/..%3b/b',
    '/a/%2e%2e%3Bx',
    '/a%2f..%2fb',
    '/a/..%2fb',
    '/a%2f%2e%2e',
    '/%252e%252e/a',
    '/a/%252e%252e%252fb',
    '/a/%25%32%65%25%32%65/b',
    '/a/..%253bx/b',
    '/a/..%255cb',
    '/%2e%252e/a',
    '/%252e',
    // backslashes
    '/a\\b',
    '/a%5cb',
    '/a%5Cb',
    // fragments, controls, foreign bytes
    '/a#b',
    '/a?b#c',
    '/a b',
    '/a\tb',
    '/a\r\nb',
    '/a?b\nc',
    '/a?b c',
    '/a\0',
    '/a\x7f',
    '/caf\xe9',
    '/a%00',
    '/a%0d%0aX:y',
    '/a%1F',
    '/a%7f',
    // bad and overlong escapes
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%u002e',
    '/%c0%ae%c0%ae/a',
    '/%C1%9c',
    '/%e0%80%ae',
    '/%f0%80%80%ae',
  ])('%j', (target) => {
    expect(readTarget(target).ok).toBe(false)
  })

  test('the message never repeats the target', () => {
    const reading = readTarget('/s3cret/../x')
    expect(reading.ok ? '' : reading.message).toMatch(/"\.\."/)
    expect(JSON.stringify(reading)).not.toContain('s3cret')
  })
})

test('64 KiB of anything is read in linear time', () => {
  for (const unit of ['/', '/.', '/a', '/%25', ';', '/..;', '%2e', '/.a', 'a/b?']) {
    expect(typeof readTarget(`/${unit.repeat(65_536 / unit.length)}`).ok).toBe('boolean')
  }
})
