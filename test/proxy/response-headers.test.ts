import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Client } from 'undici'
import { describe, expect, test } from 'vitest'
import { downstreamResponseHeaders, type UpstreamResponseHeaders } from '../../src/proxy/response-headers.ts'
import { raw } from './raw-headers.ts'

describe('what ends here', () => {
  test.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'close'],
    ['Proxy-Authenticate', 'Basic'],
    ['Transfer-Encoding', 'chunked'],
    ['Trailer', 'X-Checksum'],
    ['TE', 'trailers'],
    ['UPGRADE', 'h2c'],
  ])('%s', (name, value) => {
    expect(downstreamResponseHeaders([name, value, 'Server', 's'], [])).toEqual(['Server', 's'])
  })

  test('and what Connection names, but not what says where the body ends or who may keep it', () => {
    const named = 'close, X-Secret, content-length, set-cookie, cache-control'
    expect(
      downstreamResponseHeaders(
        [
          ...raw('X-Secret: 1', 'Content-Length: 2', `Connection: ${named}`, 'x-secret: 2', 'Server: s'),
          ...raw('Set-Cookie: a=1', 'Cache-Control: private'),
        ],
        [],
      ),
    ).toEqual(['Content-Length', '2', 'Server', 's', 'Set-Cookie', 'a=1', 'Cache-Control', 'private'])
  })
})

describe('ours', () => {
  test('Server is ostiary only where the upstream has none', () => {
    expect(downstreamResponseHeaders(['X', '1'], [])).toEqual(['X', '1', 'Server', 'ostiary'])
    expect(downstreamResponseHeaders(['server', 'nginx'], [])).toEqual(['server', 'nginx'])
    expect(downstreamResponseHeaders(null, [])).toEqual(['Server', 'ostiary'])
  })

  test('Set-Cookie is added, everything else replaces', () => {
    expect(
      downstreamResponseHeaders(
        ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-User', 'upstream', 'x-user', 'upstream', 'Server', 's'],
        [
          ['set-cookie', 'c=3'],
          ['x-user', 'alice'],
        ],
      ),
    ).toEqual([
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'Server',
      's',
      'set-cookie',
      'c=3',
      'x-user',
      'alice',
    ])
  })

  test('a response with our cookie is kept by no cache, whichever rules the upstream gave', () => {
    const rules = [
      ...raw('Cache-Control: public, max-age=60', 'Expires: Thu, 01 Jan 2099 00:00:00 GMT', 'Pragma: x'),
      ...raw('Surrogate-Control: max-age=60', 'CDN-Cache-Control: max-age=60', 'X-Accel-Expires: 60'),
      ...raw('Cloudflare-CDN-Cache-Control: max-age=60'),
    ]
    expect(downstreamResponseHeaders([...rules, 'Server', 's'], [['x-user', 'alice']])).toEqual([
      ...rules,
      ...raw('Server: s', 'x-user: alice'),
    ])
    expect(
      downstreamResponseHeaders(
        [...rules, 'ETag', '"1"', 'Server', 's'],
        [
          ['set-cookie', 'session=1'],
          ['cache-control', 'private, no-store'],
        ],
      ),
    ).toEqual(['ETag', '"1"', 'Server', 's', 'set-cookie', 'session=1', 'cache-control', 'private, no-store'])
  })
})

test('an object of headers, as undici gives over HTTP/2', () => {
  expect(
    downstreamResponseHeaders({ 'set-cookie': ['a=1', 'b=2'], server: 's', 'x-none': undefined }, []),
  ).toEqual(['set-cookie', 'a=1', 'set-cookie', 'b=2', 'server', 's'])
})

test('what undici really hands over', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, ['X-Bytes', 'caf\xe9', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Date', 'now'])
    response.end('ok')
  }).listen(0)
  await once(server, 'listening')
  const client = new Client(`http://localhost:${(server.address() as AddressInfo).port}`)
  const received = await new Promise<UpstreamResponseHeaders>((resolve, reject) => {
    client.dispatch(
      { method: 'GET', path: '/' },
      {
        onRequestStart: () => undefined,
        onResponseStart: (controller) => resolve(controller.rawHeaders),
        onResponseData: () => undefined,
        onResponseEnd: () => undefined,
        onResponseError: (_, error) => reject(error),
      },
    )
  })
  await client.close()
  server.close()
  expect(downstreamResponseHeaders(received, [])).toEqual(
    raw('X-Bytes: caf\xe9', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Date: now', 'Server: ostiary'),
  )
})

test('an upstream sets no cookie of ours, and every other one', () => {
  const upstream = raw(
    'Set-Cookie: ostiary_0123abcd_os_0=planted; Path=/',
    'set-cookie: __Host-ostiary_0123abcd_os_0 = planted; Path=/; Secure',
    'Set-Cookie: =ostiary_0123abcd_os_0=planted without a name; Path=/',
    'Set-Cookie:  = \tostiary_0123abcd_os_0=planted; Path=/',
    'Set-Cookie: theme=dark; Path=/',
    'Set-Cookie: flag',
    'Server: s',
  )
  const ours = [['set-cookie', 'ostiary_0123abcd_os_0=real']] as const
  expect(downstreamResponseHeaders(upstream, ours)).toEqual([
    'Set-Cookie',
    'theme=dark; Path=/',
    'Set-Cookie',
    'flag',
    'Server',
    's',
    'set-cookie',
    'ostiary_0123abcd_os_0=real',
  ])
})
