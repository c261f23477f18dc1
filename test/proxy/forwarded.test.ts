import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTrustedProxies } from '../../src/proxy/trusted-proxies.ts'
import { forwardedField } from '../../src/proxy/upstream/forwarded.ts'
import { aRoute, aHost, aSnapshot, aTable } from '../support/snapshot.ts'
import { rawRequest } from '../support/raw-http.ts'
import { proxy, upstream } from './support.ts'

function field(peer: string, headers: Record<string, string>, authority = 'app.example', encrypted = false) {
  const view = createTrustedProxies(['10.0.0.0/8', 'fd00::/8']).view(peer, encrypted, headers)
  return forwardedField(view, authority)
}

describe('forwardedField', () => {
  test.each([
    ['a client', ['203.0.113.7', {}], 'for=203.0.113.7;host=app.example;proto=http'],
    ['an IPv6 client', ['2001:db8::1', {}], 'for="[2001:db8::1]";host=app.example;proto=http'],
    ['no Host', ['203.0.113.7', {}, ''], 'for=203.0.113.7;proto=http'],
    [
      'a port',
      ['203.0.113.7', {}, 'app.example:8443', true],
      'for=203.0.113.7;host="app.example:8443";proto=https',
    ],
    [
      'vouched proxies',
      ['10.0.0.1', { 'x-forwarded-for': '6.6.6.6, 203.0.113.7, fd00::2', 'x-forwarded-proto': 'https' }],
      'for=203.0.113.7;host=app.example;proto=https, for="[fd00::2]", for=10.0.0.1',
    ],
    [
      'a stranger who says more',
      [
        '203.0.113.7',
        { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'admin', forwarded: 'for=127.0.0.1' },
      ],
      'for=203.0.113.7;host=app.example;proto=http',
    ],
  ] as const)('says what X-Forwarded-* says: %s', (_, [peer, headers, authority, encrypted], expected) => {
    expect(field(peer, headers, authority, encrypted)).toBe(expected)
  })

  test('lets no host break out of its value', () => {
    assert(
      property(
        string({ unit: constantFrom('a', '"', '\\', ';', ',', '=', ' ', ':'), maxLength: 12 }),
        (host) => {
          const parts = field('203.0.113.7', {}, host)
          const value =
            /^for=203\.0\.113\.7(?:;host=([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*"))?;proto=http$/.exec(parts)
          expect(value).not.toBeNull()
          const given = value?.[1] ?? ''
          expect(given.startsWith('"') ? given.slice(1, -1).replaceAll(/\\(.)/g, '$1') : given).toBe(host)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('on a route', () => {
  async function seen(forwardedHeader: boolean, options: { readonly trustedProxies?: string[] } = {}) {
    const { port } = await upstream((request, response) =>
      response.end(request.headers['forwarded'] ?? 'none'),
    )
    const action = {
      kind: 'forward',
      upstream: 'default/web/80',
      policies: [],
      ...(forwardedHeader && { forwarding: { forwardedHeader: true as const } }),
    } as const
    const table = aTable([aHost('example.com', [aRoute('web', { action })])], { web: [port] })
    const running = await proxy(aSnapshot(table), options)
    const spoofed =
      'GET / HTTP/1.1\r\nHost: example.com\r\nForwarded: for=6.6.6.6\r\nfOrWaRdEd: for=7.7.7.7\r\n\r\n'
    return (await rawRequest(running.port, spoofed)).body
  }

  test("replaces the client's, trusted or not", async () => {
    expect(await seen(true)).toBe('for=127.0.0.1;host=example.com;proto=http')
    expect(await seen(true, { trustedProxies: ['127.0.0.1'] })).toBe(
      'for=127.0.0.1;host=example.com;proto=http',
    )
  })

  test('without it, passes from trusted proxies alone', async () => {
    expect(await seen(false)).toBe('none')
    expect(await seen(false, { trustedProxies: ['127.0.0.1'] })).toBe('for=6.6.6.6, for=7.7.7.7')
  })
})
