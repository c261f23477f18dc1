import { describe, expect, test } from 'vitest'
import { readQuestion, type RequestWords } from '../../src/explain/question.ts'

const headOf = (words: RequestWords): string => readQuestion(words).request.head

describe('a request as it is typed', () => {
  test('is sent byte by byte', () => {
    expect(headOf({ url: 'https://A.test/a/../b%2f?x=%zz' })).toBe(
      'GET /a/../b%2f?x=%zz HTTP/1.1\r\nHost: A.test\r\n\r\n',
    )
  })

  test('leaves the usual port out, as clients do, and no other', () => {
    expect(headOf({ url: 'https://a.test:443' })).toBe('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
    expect(headOf({ url: 'http://a.test:443?b' })).toBe('GET /?b HTTP/1.1\r\nHost: a.test:443\r\n\r\n')
  })

  test('has what is not ASCII in the form that browsers send', () => {
    expect(headOf({ url: 'https://bücher.test/é' })).toBe(
      'GET /%C3%A9 HTTP/1.1\r\nHost: xn--bcher-kva.test\r\n\r\n',
    )
  })

  test('may name another host than its connection was opened for', () => {
    const { request, told } = readQuestion({ url: 'https://a.test/', headers: ['host: b.test'] })
    expect(request).toMatchObject({ head: 'GET / HTTP/1.1\r\nhost: b.test\r\n\r\n', serverName: 'a.test' })
    expect(told.host).toBe('b.test')
  })

  test('has no server name where an address is asked', () => {
    expect(readQuestion({ url: 'https://192.0.2.1/' }).request).not.toHaveProperty('serverName')
    expect(readQuestion({ url: 'https://[2001:db8::1]:8443/' }).request).not.toHaveProperty('serverName')
  })

  test.each([
    ['another scheme', { url: 'ftp://a.test/' }],
    ['no scheme', { url: 'a.test/' }],
    ['a fragment', { url: 'https://a.test/#hush' }],
    ['a password', { url: 'https://a:hush@a.test/' }],
    ['a space', { url: 'https://a.test/a b?hush' }],
    ['a line of its own', { url: 'https://a.test/\r\nhush: x' }],
    ['no host', { url: 'https:///hush' }],
    ['a method that is none', { url: 'https://a.test/', method: 'GET /' }],
    ['a field without a colon', { url: 'https://a.test/', headers: ['hush'] }],
    ['a second field inside one', { url: 'https://a.test/', headers: ['A: b\r\nHost: hush'] }],
    ['a body', { url: 'https://a.test/', headers: ['Content-Length: 5'] }],
    ['an address that is none', { url: 'https://a.test/', from: 'nowhere' }],
  ])('with %s is refused, and not repeated', (_name, words) => {
    expect(() => readQuestion(words)).toThrow(
      expect.objectContaining({ code: 'ERR_SETTINGS_INVALID' }) as Error,
    )
    expect(() => readQuestion(words)).not.toThrow(/hush/)
  })
})
