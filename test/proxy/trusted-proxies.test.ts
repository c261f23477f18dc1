import { describe, expect, test } from 'vitest'
import { createTrustedProxies } from '../../src/proxy/trusted-proxies.ts'

const none = createTrustedProxies([])
const proxies = createTrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])

describe('an untrusted peer', () => {
  const headers = {
    'x-forwarded-for': '1.1.1.1, 10.0.0.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-port': '443',
    forwarded: 'for=1.1.1.1;proto=https',
  }
  test.each([none, proxies])('is the client, whatever it says', (trusted) => {
    expect(trusted.view('203.0.113.5', false, headers)).toEqual({
      clientAddress: '203.0.113.5',
      scheme: 'http',
      forwardedFor: '203.0.113.5',
      forwardedProto: 'http',
      trusted: false,
    })
  })

  test('over TLS came by https', () => {
    expect(none.view('::1', true, {})).toMatchObject({ scheme: 'https', forwardedProto: 'https' })
  })

  test.each(['', 'not an address', '10.0.0'])('%j is none that could be trusted', (peer) => {
    expect(proxies.view(peer, false, headers)).toMatchObject({ trusted: false, clientAddress: peer })
  })
})

describe('a trusted peer', () => {
  test.each([
    ['the address that it names', '203.0.113.5', '203.0.113.5', '203.0.113.5, 10.0.0.1'],
    [
      'the first untrusted from the right, without the hearsay left of it',
      '6.6.6.6, 203.0.113.5, 10.0.0.2',
      '203.0.113.5',
      '203.0.113.5, 10.0.0.2, 10.0.0.1',
    ],
    ['the leftmost where all are trusted', '10.0.0.3,10.0.0.2', '10.0.0.3', '10.0.0.3, 10.0.0.2, 10.0.0.1'],
    ['the last that is an address', '203.0.113.5, unknown, 10.0.0.2', '10.0.0.2', '10.0.0.2, 10.0.0.1'],
    ['itself where nothing can be read', 'unknown', '10.0.0.1', '10.0.0.1'],
    ['itself where nothing is said', undefined, '10.0.0.1', '10.0.0.1'],
    ['an address with a port', '203.0.113.5:4711', '203.0.113.5', '203.0.113.5, 10.0.0.1'],
    ['IPv6 in brackets with a port', '[2001:DB8::1]:4711', '2001:db8::1', '2001:db8::1, 10.0.0.1'],
    ['IPv6', '2001:db8::1', '2001:db8::1', '2001:db8::1, 10.0.0.1'],
    ['mapped IPv4', '203.0.113.5, ::ffff:10.0.0.2', '203.0.113.5', '203.0.113.5, 10.0.0.2, 10.0.0.1'],
    ['empty elements end the walk', '203.0.113.5,, 10.0.0.2', '10.0.0.2', '10.0.0.2, 10.0.0.1'],
  ])('speaks for %s', (_, forwardedFor, clientAddress, sent) => {
    const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
    expect(proxies.view('10.0.0.1', false, headers)).toEqual({
      clientAddress,
      scheme: 'http',
      forwardedFor: sent,
      forwardedProto: 'http',
      trusted: true,
    })
  })

  test.each([
    '::ffff:10.0.0.1',
    '::FFFF:10.0.0.1',
    '192.0.2.7',
    '::ffff:192.0.2.7',
    'fd12::1',
    'fd12::1%eth0',
  ])('%s is in the list', (peer) => {
    expect(proxies.view(peer, false, {}).trusted).toBe(true)
  })

  test.each(['192.0.2.8', '11.0.0.1', 'fe80::1', '::1', '::ffff:11.0.0.1'])('%s is not', (peer) => {
    expect(proxies.view(peer, false, {}).trusted).toBe(false)
    // The answer is remembered.
    expect(proxies.view(peer, false, {}).trusted).toBe(false)
  })

  test('speaks for scheme, host and port', () => {
    expect(
      proxies.view('10.0.0.1', false, {
        'x-forwarded-for': '203.0.113.5',
        'x-forwarded-proto': 'HTTPS',
        'x-forwarded-host': 'shop.example.com',
        'x-forwarded-port': '8443',
      }),
    ).toMatchObject({
      scheme: 'https',
      forwardedProto: 'https',
      forwardedHost: 'shop.example.com',
      forwardedPort: '8443',
    })
  })

  test('where hops append, the one nearest to the client counts and the client does not', () => {
    const headers = {
      'x-forwarded-for': '6.6.6.6, 203.0.113.5, 10.0.0.2',
      'x-forwarded-proto': 'https, http, https',
      'x-forwarded-host': 'evil.test, shop.example.com, inner.test',
    }
    expect(proxies.view('10.0.0.1', true, headers)).toMatchObject({
      scheme: 'http',
      forwardedHost: 'shop.example.com',
    })
  })

  test('a scheme and port that are none are not passed on', () => {
    const view = proxies.view('10.0.0.1', true, {
      'x-forwarded-proto': 'javascript',
      'x-forwarded-port': '80 or so',
      'x-forwarded-host': '',
    })
    expect(view).toMatchObject({ scheme: 'https', forwardedProto: 'https' })
    expect(view).not.toHaveProperty('forwardedPort')
    expect(view).not.toHaveProperty('forwardedHost')
  })
})

test('a mapped network is the IPv4 network', () => {
  const mapped = createTrustedProxies([' ::ffff:10.0.0.0/104 '])
  expect(mapped.view('10.200.0.1', false, {}).trusted).toBe(true)
  expect(mapped.view('11.0.0.1', false, {}).trusted).toBe(false)
})

test('everything can be trusted, one family at a time', () => {
  expect(createTrustedProxies(['0.0.0.0/0']).view('203.0.113.5', false, {}).trusted).toBe(true)
  expect(createTrustedProxies(['0.0.0.0/0']).view('2001:db8::1', false, {}).trusted).toBe(false)
  expect(createTrustedProxies(['::/0']).view('2001:db8::1', false, {}).trusted).toBe(true)
})

test.each([
  '',
  '/8',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8.0',
  '10.0.0.0/8/8',
  '10.0.0/8',
  'fd00::/129',
  '::ffff:10.0.0.0/8',
  'localhost',
  '10.0.0.0-10.0.0.9',
])('%j is refused by name', (cidr) => {
  expect(() => createTrustedProxies(['10.0.0.0/8', cidr])).toThrow(
    expect.objectContaining({
      code: 'ERR_SETTINGS_INVALID',
      message: expect.stringContaining(`"${cidr}"`) as string,
    }),
  )
})
