import { describe, expect, test } from 'vitest'
import { readAuthority } from '../../src/proxy/request-authority.ts'

describe('Host', () => {
  test.each([
    ['a.example.com', 'a.example.com', 'a.example.com'],
    ['A.Example.COM:8080', 'a.example.com', 'a.example.com:8080'],
    ['single', 'single', 'single'],
    ['my_service.default', 'my_service.default', 'my_service.default'],
    ['a.example.com.', 'a.example.com', 'a.example.com.'],
    ['a.example.com.:80', 'a.example.com', 'a.example.com.:80'],
    ['127.0.0.1:8080', '127.0.0.1', '127.0.0.1:8080'],
    ['[::1]', '[::1]', '[::1]'],
    ['[FD00::1]:65535', '[fd00::1]', '[fd00::1]:65535'],
    ['[::ffff:10.0.0.1]', '[::ffff:10.0.0.1]', '[::ffff:10.0.0.1]'],
  ])('%s', (field, host, authority) => {
    expect(readAuthority(['Accept', '*/*', 'HOST', field], '/x?y')).toEqual({
      ok: true,
      host,
      authority,
      target: '/x?y',
    })
  })

  test.each([
    '',
    '.',
    '..',
    '.example.com',
    'a..example.com',
    'a.example.com..',
    '*.example.com',
    'a.example.com:',
    'a.example.com:0x50',
    'a.example.com:99999',
    'a.example.com:123456',
    'a.example.com:80:80',
    'a.example.com/path',
    'a.example.com?q',
    'a.example.com#f',
    'a.example.com\\b',
    'a.example.com@evil.test',
    'user:pass@a.example.com',
    'a.example.com, b.example.com',
    'a.example.com b',
    'a%2eexample.com',
    'a.example.com\t',
    '\xe9.example.com',
    '\u212a.example.com',
    '::1',
    '[::1',
    '[::1]x',
    '[fe80::1%25eth0]',
    '[a.example.com]',
    '[:::]',
    'x'.repeat(254),
  ])('%j is refused', (field) => {
    expect(readAuthority(['Host', field], '/')).toMatchObject({ ok: false })
  })

  test.each([
    [['Host', 'a.test', 'Host', 'b.test']],
    [['Host', 'a.test', 'hOST', 'a.test']],
    [['Host', '', 'Host', 'a.test']],
  ])('more than one is refused: %j', (rawHeaders) => {
    expect(readAuthority(rawHeaders, '/')).toEqual({
      ok: false,
      message: 'The request has more than one Host field.',
    })
  })

  test('HTTP/1.0 may send none', () => {
    expect(readAuthority(['X-Forwarded-Host', 'a.test'], '/')).toEqual({
      ok: true,
      host: '',
      authority: '',
      target: '/',
    })
  })
})

describe('absolute-form', () => {
  test.each([
    ['http://a.test/x?y', '/x?y'],
    ['HTTPS://A.test', '/'],
    ['http://a.test?y', '/?y'],
    ['http://a.test//b', '//b'],
    ['http://a.test/http://b.test/', '/http://b.test/'],
  ])('%s becomes %s', (target, expected) => {
    expect(readAuthority(['Host', 'a.TEST'], target)).toMatchObject({ ok: true, target: expected })
  })

  test.each([
    'http://b.test/',
    'http://a.test:80/',
    'http://a.test@b.test/',
    'http://user@a.test/',
    'http://a.test\\@b.test/',
    'http:///a.test/',
    'http://a.test.evil.test/',
    'http://a.test%2eevil.test/',
  ])('%s differs from Host: refused', (target) => {
    expect(readAuthority(['Host', 'a.test'], target)).toMatchObject({ ok: false })
  })

  test('without Host it is refused', () => {
    expect(readAuthority([], 'http://a.test/')).toMatchObject({ ok: false })
    expect(readAuthority([], 'http:///')).toMatchObject({ ok: false })
  })

  test.each(['*', 'a.test:443', 'ftp://a.test/', 'http:/a.test', ''])(
    '%j is left for the target',
    (target) => {
      expect(readAuthority(['Host', 'a.test'], target)).toMatchObject({ ok: true, target })
    },
  )
})
