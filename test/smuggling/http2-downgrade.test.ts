import { describe, expect, test } from 'vitest'
import { httpsProxy } from '../proxy/http2/support.ts'
import { everythingOn } from '../proxy/support.ts'
import { RawHttp2Client, type RawFields, type StreamEnd } from './raw-http2.ts'
import { recordingUpstream, type RecordingUpstream } from './recording-upstream.ts'

/** What the attacker wants HTTP/1.1 to make a request of. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: example.com\r\n\r\n'

interface Downgrade {
  readonly fields: RawFields
  readonly body?: readonly string[]
  readonly trailers?: RawFields
}

function head(changes: Readonly<Record<string, string>>, ...fields: RawFields): RawFields {
  const pseudo = {
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'example.com',
    ':path': '/case',
    ...changes,
  }
  return [...Object.entries(pseudo).filter(([, value]) => value !== 'ABSENT'), ...fields]
}

/** Fields beside a good head, and a body. */
function withFields(...fields: RawFields): Downgrade {
  return { fields: head({}, ...fields), body: [SMUGGLED] }
}

/** Sends it, and then what somebody else asks. */
async function run({
  fields,
  body,
  trailers,
}: Downgrade): Promise<{ end: StreamEnd; upstream: RecordingUpstream }> {
  const upstream = await recordingUpstream()
  const { https } = await httpsProxy(everythingOn(upstream.port))
  const client = await RawHttp2Client.open(https)
  const end = await client.ask(fields, body, trailers)
  client.close()
  const victim = await RawHttp2Client.open(https)
  const got = await victim.ask(head({ ':method': 'GET', ':path': '/victim' }))
  victim.close()
  expect(got).toEqual({ status: 200, isReset: false })
  expect(upstream.requests.at(-1)?.line).toBe('GET /victim HTTP/1.1')
  upstream.requests.pop()
  expect(upstream.faults).toEqual([])
  return { end, upstream }
}

const REFUSED: Readonly<Record<string, Downgrade>> = {
  'a transfer coding': withFields(['transfer-encoding', 'chunked']),
  'a transfer coding and a body in chunks': {
    fields: head({}, ['transfer-encoding', 'chunked']),
    body: [`0\r\n\r\n${SMUGGLED}`],
  },
  'a length that is too short': withFields(['content-length', '3']),
  'a length of nothing': withFields(['content-length', '0']),
  'a length that is too long': withFields(['content-length', '1000']),
  'two lengths': withFields(['content-length', '3'], ['content-length', String(SMUGGLED.length)]),
  'two lengths in one field': withFields(['content-length', `3, ${SMUGGLED.length}`]),
  'a length with a sign': withFields(['content-length', `+${SMUGGLED.length}`]),
  'a name in capitals': withFields(['Transfer-Encoding', 'chunked']),
  'a field of the connection': withFields(['connection', 'close']),
  'an upgrade': withFields(['upgrade', 'websocket']),
  'keep-alive': withFields(['keep-alive', 'timeout=5']),
  'a TE that is not trailers': withFields(['te', 'chunked']),
  'a request in the path': {
    fields: head({ ':path': `/case HTTP/1.1\r\nHost: example.com\r\n\r\n${SMUGGLED}` }),
  },
  'a space in the path': { fields: head({ ':path': '/case HTTP/1.1' }) },
  'a line break in the path': { fields: head({ ':path': '/case\r\nx: y' }) },
  'a fragment in the path': { fields: head({ ':path': '/case#x' }) },
  'an absolute form as path': { fields: head({ ':path': 'https://other.example/case' }) },
  'no path': { fields: head({ ':path': 'ABSENT' }) },
  'an empty path': { fields: head({ ':path': '' }) },
  'the asterisk': { fields: head({ ':path': '*', ':method': 'OPTIONS' }) },
  'a request in the method': {
    fields: head({ ':method': `GET /smuggled HTTP/1.1\r\nHost: example.com\r\n\r\nGET` }),
  },
  'a space in the method': { fields: head({ ':method': 'GET /smuggled' }) },
  'an empty method': { fields: head({ ':method': '' }) },
  CONNECT: { fields: head({ ':method': 'CONNECT', ':path': 'ABSENT', ':scheme': 'ABSENT' }) },
  'a line break in the authority': { fields: head({ ':authority': 'example.com\r\nx: y' }) },
  'a user in the authority': { fields: head({ ':authority': 'a@example.com' }) },
  'a path in the authority': { fields: head({ ':authority': 'example.com/other' }) },
  'a Host that is another': { fields: head({}, ['host', 'other.example']) },
  'two Hosts': { fields: head({}, ['host', 'example.com'], ['host', 'other.example']) },
  'two Hosts without an authority': {
    fields: head({ ':authority': 'ABSENT' }, ['host', 'example.com'], ['host', 'example.com']),
  },
  'neither authority nor Host': { fields: head({ ':authority': 'ABSENT' }) },
  'two paths': { fields: [...head({}), [':path', '/smuggled']] },
  'two authorities': { fields: [...head({}), [':authority', 'other.example']] },
  'a pseudo-header behind a field': {
    fields: [...head({ ':path': 'ABSENT' }), ['x', 'y'], [':path', '/case']],
  },
  'an unknown pseudo-header': { fields: [...head({}), [':case', '/smuggled']] },
  'a scheme that holds a request': {
    fields: head({ ':scheme': `https://example.com/ HTTP/1.1\r\n\r\n${SMUGGLED}` }),
  },
  'another scheme': { fields: head({ ':scheme': 'ftp' }) },
  'a pseudo-header in trailers': { fields: head({}), body: ['abc'], trailers: [[':path', '/smuggled']] },
}

describe('over HTTP/2 is refused, and no whole request reaches the upstream:', () => {
  test.each(Object.entries(REFUSED))('%s', async (_, downgrade) => {
    const { end, upstream } = await run(downgrade)
    expect(upstream.requests).toEqual([])
    expect(end.isReset || end.status !== 200).toBe(true)
  })
})

const PASSED: Readonly<Record<string, Downgrade>> = {
  'a body that looks like a request': { fields: head({}), body: [SMUGGLED] },
  'one in pieces': { fields: head({}), body: [SMUGGLED.slice(0, 7), SMUGGLED.slice(7)] },
  'one of its length': { fields: head({}, ['content-length', String(SMUGGLED.length)]), body: [SMUGGLED] },
  'one that looks like chunks': { fields: head({}), body: [`0\r\n\r\n${SMUGGLED}`] },
  'a Host that is the same': { fields: head({}, ['host', 'example.com']), body: [SMUGGLED] },
  'a Host alone': { fields: head({ ':authority': 'ABSENT' }, ['host', 'example.com']), body: [SMUGGLED] },
  trailers: {
    fields: head({}),
    body: ['abc'],
    trailers: [
      ['x', 'y'],
      ['authorization', 'Bearer x'],
    ],
  },
  // nghttp2 leaves a field out that HTTP could not carry.
  'a line break in a value': withFields(['x', 'y\r\ntransfer-encoding: chunked']),
  'a request in a value': withFields(['x', `y\r\n\r\n${SMUGGLED}`]),
  'a bare LF in a value': withFields(['x', 'y\ntransfer-encoding: chunked']),
  'a bare CR in a value': withFields(['x', 'y\rtransfer-encoding: chunked']),
  'a NUL in a value': withFields(['x', 'y\0z']),
  'a line break in a name': withFields(['x: y\r\ntransfer-encoding', 'chunked']),
  'a colon in a name': withFields(['transfer-encoding: chunked\r\nx', 'y']),
  'a space in a name': withFields(['transfer-encoding ', 'chunked']),
  'an empty name': withFields(['', 'y']),
  'fields that some servers fold': {
    fields: head({}, ['transfer_encoding', 'chunked'], ['content_length', '0']),
    body: [SMUGGLED],
  },
}

describe('over HTTP/2 is one request to the upstream:', () => {
  test.each(Object.entries(PASSED))('%s', async (_, downgrade) => {
    const { end, upstream } = await run(downgrade)
    expect(end).toEqual({ status: 200, isReset: false })
    expect(upstream.requests).toHaveLength(1)
    const [{ body, fields, line }] = upstream.requests as [RecordingUpstream['requests'][number]]
    expect([line, body]).toEqual(['POST /case HTTP/1.1', (downgrade.body ?? []).join('')])
    const names = fields.map(([name]) => name)
    for (const name of ['authorization', 'transfer_encoding', 'content_length', 'x'])
      expect(names).not.toContain(name)
  })
})
