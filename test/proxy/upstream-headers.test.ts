import { describe, expect, test } from 'vitest'
import type { ConnectionView } from '../../src/proxy/trusted-proxies.ts'
import { upstreamRequestHeaders, type UpstreamRequest } from '../../src/proxy/upstream-headers.ts'
import { raw } from './raw-headers.ts'

const untrusted: ConnectionView = {
  clientAddress: '203.0.113.5',
  scheme: 'http',
  forwardedFor: '203.0.113.5',
  forwardedProto: 'http',
  trusted: false,
}

const OURS = [
  ...raw('X-Forwarded-For: 203.0.113.5', 'X-Forwarded-Host: a.test'),
  ...raw('X-Forwarded-Proto: http', 'X-Forwarded-Port: 80'),
]

const noEdits = { removeHeaders: [], setHeaders: [], removeCookies: () => false }

function forward(rawHeaders: readonly string[], input: Partial<UpstreamRequest> = {}): string[] {
  return upstreamRequestHeaders({
    rawHeaders: ['Host', 'a.test', ...rawHeaders],
    connectionView: untrusted,
    authority: 'a.test',
    removeHeaders: [],
    ...input,
  })
}

/** What is forwarded beside Host and what is always ours. */
function kept(rawHeaders: readonly string[], input: Partial<UpstreamRequest> = {}): string[] {
  const headers = forward(rawHeaders, input)
  expect(headers.slice(0, 2)).toEqual(['Host', 'a.test'])
  expect(headers.slice(-OURS.length)).toEqual(OURS)
  return headers.slice(2, -OURS.length)
}

describe('what is unrelated', () => {
  test('passes in order and spelling, repeats too', () => {
    const headers = [
      ...raw('user-agent: Go-http-client/1.1', 'ACCEPT: text/html', 'accept: */*', 'X_Custom: 1'),
      ...raw('Content-Type: application/json', 'Content-Length: 2', 'X-Empty: ', 'Authorization: Bearer a'),
      ...raw('X-Consumer: no identity header', 'X-Forwarded: neither', '__proto__: x', 'constructor: y'),
    ]
    expect(kept(headers)).toEqual(headers)
  })

  test('Host keeps its spelling', () => {
    const headers = upstreamRequestHeaders({
      rawHeaders: ['hOST', 'A.Test:8080'],
      connectionView: untrusted,
      authority: 'a.test:8080',
      removeHeaders: [],
    })
    expect(headers.slice(0, 2)).toEqual(['hOST', 'A.Test:8080'])
    expect(headers).toEqual(
      expect.arrayContaining(['X-Forwarded-Host', 'a.test:8080', 'X-Forwarded-Port', '8080']),
    )
  })
})

describe('hop-by-hop', () => {
  test.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic eDp5'],
    ['Proxy-Authenticate', 'Basic'],
    ['TE', 'gzip'],
    ['TE', 'trailers-not'],
    ['Trailer', 'X-Checksum'],
    ['Transfer-Encoding', 'chunked'],
    ['transfer_encoding', 'chunked'],
    ['Content_Length', '5'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
    ['Expect', '100-continue'],
    ['Proxy', 'http://httpoxy.example'],
  ])('%s: %s ends here', (name, value) => {
    expect(kept([name, value, name.toLowerCase(), value, 'X-Other', '1'])).toEqual(['X-Other', '1'])
  })

  test.each(['trailers', 'gzip;q=0.5, Trailers ', 'trailers,deflate'])('TE: %s keeps trailers', (value) => {
    expect(kept(['TE', value])).toEqual(['TE', 'trailers'])
  })

  test('so does what Connection names, wherever and however often it stands', () => {
    expect(
      kept([
        ...raw('X-Early: 1', 'Connection: keep-alive, X-EARLY ,,x-late', 'X-Late: 1', 'x-late: 2'),
        ...raw('connection: X-Second', 'X-Second: 1', 'X-Stays: 1'),
      ]),
    ).toEqual(['X-Stays', '1'])
  })

  // GHSA-gwhp-pf74-vj37
  test('Connection takes away neither Host nor the length nor anything of ours', () => {
    const names =
      'host, content-length, x-forwarded-for, x-forwarded-host, x-forwarded-proto, x-forwarded-port'
    const headers = forward(
      ['Content-Length', '3', 'Connection', `close, ${names}, x-userinfo, authorization`],
      {
        edits: {
          ...noEdits,
          setHeaders: [
            ['x-userinfo', 'alice'],
            ['authorization', 'Bearer ours'],
          ],
        },
      },
    )
    expect(headers).toEqual([
      ...raw('Host: a.test', 'Content-Length: 3'),
      ...OURS,
      ...raw('x-userinfo: alice', 'authorization: Bearer ours'),
    ])
  })
})

describe('identity headers', () => {
  test.each([
    'X-Consumer-ID',
    'x_consumer_id',
    'X-CONSUMER_USERNAME',
    'X-Consumer-Custom-ID',
    'X-Consumer-Groups',
    'X-Credential-Identifier',
    'X_Anonymous-Consumer',
    'X-Authenticated-Groups',
    'X-Userinfo',
    'X-ID-Token',
    'X_ID_Token',
    'X-Access-Token',
    'X-Auth-Request-User',
    'x_auth_request_anything_at_all',
    'X-Forwarded-User',
    'X_Forwarded_Email',
    'X-Forwarded-Groups',
    'X-Forwarded-Preferred-Username',
    'X-Forwarded-Access-Token',
  ])('%s never passes, from trusted proxies neither', (name) => {
    expect(kept([name, 'root'])).toEqual([])
    expect(kept([name, 'root'], { connectionView: { ...untrusted, trusted: true } })).toEqual([])
  })
})

describe('forwarding headers', () => {
  const sent = [
    ...raw('X-Forwarded-Prefix: /app', 'X-Forwarded-Uri: /x', 'X-Forwarded-Anything: 1'),
    ...raw('Forwarded: for=1.1.1.1', 'X-Real-IP: 1.1.1.1', 'x_forwarded_method: GET'),
    ...raw('X-Original-URL: /admin', 'x_rewrite_url: /admin'),
  ]

  test('of an untrusted peer are dropped', () => {
    expect(kept([...sent, 'X-Forwarded-For', '1.1.1.1', 'X_Forwarded_Proto', 'https'])).toEqual([])
  })

  test('of a trusted one survive beside ours', () => {
    const connectionView: ConnectionView = {
      clientAddress: '1.1.1.1',
      scheme: 'https',
      forwardedFor: '1.1.1.1, 10.0.0.1',
      forwardedProto: 'https',
      forwardedHost: 'shop.test',
      forwardedPort: '8443',
      trusted: true,
    }
    const headers = forward([...sent, 'X-Forwarded-For', '9.9.9.9, 1.1.1.1', 'x_forwarded_for', 'evil'], {
      connectionView,
    })
    expect(headers).toEqual([
      ...raw('Host: a.test'),
      ...sent,
      ...raw('X-Forwarded-For: 1.1.1.1, 10.0.0.1', 'X-Forwarded-Host: shop.test'),
      ...raw('X-Forwarded-Proto: https', 'X-Forwarded-Port: 8443'),
    ])
  })

  test.each([
    ['a.test', 'http', '80'],
    ['a.test', 'https', '443'],
    ['a.test:8443', 'https', '8443'],
    ['[::1]', 'http', '80'],
    ['[::1]:81', 'http', '81'],
  ] as const)('the port of %s over %s is %s', (authority, scheme, port) => {
    const headers = forward([], {
      authority,
      connectionView: { ...untrusted, scheme, forwardedProto: scheme },
    })
    expect(headers.slice(-2)).toEqual(['X-Forwarded-Port', port])
  })

  test('X-Forwarded-Host is left out where HTTP/1.0 named no host', () => {
    const headers = upstreamRequestHeaders({
      rawHeaders: [],
      connectionView: untrusted,
      authority: '',
      removeHeaders: [],
    })
    expect(headers).toEqual(
      raw('X-Forwarded-For: 203.0.113.5', 'X-Forwarded-Proto: http', 'X-Forwarded-Port: 80'),
    )
  })
})

describe('edits', () => {
  test('remove names in any spelling, the route’s on routes without policies too', () => {
    const sent = ['Issuer_Header', '1', 'ISSUER-HEADER', '2', 'Issuer-Headers', '3']
    expect(kept(sent, { removeHeaders: ['issuer-header'] })).toEqual(['Issuer-Headers', '3'])
    expect(kept(sent, { edits: { ...noEdits, removeHeaders: ['issuer_header'] } })).toEqual([
      'Issuer-Headers',
      '3',
    ])
  })

  test('replace fields of a name that they set', () => {
    const headers = forward(['Authorization', 'Basic eDp5', 'authorization', 'Bearer x', 'X_Role', 'admin'], {
      edits: {
        ...noEdits,
        setHeaders: [
          ['authorization', 'Bearer ours'],
          ['x-role', 'reader'],
        ],
      },
    })
    expect(headers).toEqual([
      ...raw('Host: a.test'),
      ...OURS,
      ...raw('authorization: Bearer ours', 'x-role: reader'),
    ])
  })

  test('an Authorization that was not judged does not pass beside the one that was', () => {
    expect(kept(['Authorization', 'Bearer judged', 'AUTHORIZATION', 'Bearer smuggled'])).toEqual([
      'Authorization',
      'Bearer judged',
    ])
  })

  test.each([
    ['a=1; ours=x; b=2', 'a=1; b=2'],
    ['ours=x; a=1', 'a=1'],
    ['a=1; ours=x', 'a=1'],
    ['a=1;ours=x;b=2', 'a=1;b=2'],
    ['a="q;  b=%20;c ; ours-0=x;=;; d', 'a="q;  b=%20;c ;=;; d'],
    [' ours = x ; notours=1; ours', 'notours=1'],
    ['Ours=x; xours=1', 'Ours=x; xours=1'],
    ['a=1;  b=2 ;', 'a=1;  b=2 ;'],
    ['ours=x', undefined],
    ['ours=x; ours-0=y', undefined],
  ])('cookies: of %j the rest passes byte for byte', (sent, expected) => {
    const edits = { ...noEdits, removeCookies: (name: string) => name === 'ours' || name.startsWith('ours-') }
    expect(kept(['Cookie', sent], { edits })).toEqual(expected === undefined ? [] : ['Cookie', expected])
    expect(kept(['Cookie', sent])).toEqual(['Cookie', sent])
  })

  test('every Cookie field is looked through', () => {
    const edits = { ...noEdits, removeCookies: (name: string) => name === 'ours' }
    expect(kept(['Cookie', 'ours=1', 'cookie', 'a=1; ours=2'], { edits })).toEqual(['cookie', 'a=1'])
  })

  test('a replaced body has its own length', () => {
    const headers = forward(['Content-Length', '100', 'Transfer-Encoding', 'chunked'], { bodyReplaced: 0 })
    expect(headers).toEqual(['Host', 'a.test', ...OURS, 'Content-Length', '0'])
  })
})

test('names that clients make up do not change how others are read', () => {
  for (let i = 0; i < 3000; i++) kept([`X-Made-Up-${i}`, '1'])
  expect(kept(['X-Consumer-ID', 'root', `X-${'long-'.repeat(50)}`, '1', 'X-Userinfo', 'x'])).toEqual([
    `X-${'long-'.repeat(50)}`,
    '1',
  ])
})
