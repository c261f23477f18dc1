import type { Field } from '../support/raw-http2.ts'
import type { Verdict } from './corpus.ts'

/** A request of HTTP/2 that a server of HTTP/1.1 behind could read differently. */
export interface Http2Case {
  readonly name: string
  readonly fields: readonly Field[]
  /** Absent: the header section ends the stream. */
  readonly body?: string
  readonly trailers?: readonly Field[]
  /** node:http2 holds the connection to account: nobody is behind it but this client. */
  readonly endsConnection?: boolean
  readonly verdict:
    | Verdict
    | { readonly dropped: readonly string[] }
    | { readonly atMost: { readonly line: string; readonly body: string } }
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: example.com\r\n\r\n'

const METHOD: Field = [':method', 'GET']
const SCHEME: Field = [':scheme', 'https']
const PATH: Field = [':path', '/case']
const AUTHORITY: Field = [':authority', 'example.com']
const GET: readonly Field[] = [METHOD, SCHEME, PATH, AUTHORITY]
const POST: readonly Field[] = [[':method', 'POST'], SCHEME, PATH, AUTHORITY]

const REFUSED: Verdict = { refused: 400 }
const LINE = 'GET /case HTTP/1.1'

function replaced(name: string, value: string): readonly Field[] {
  return GET.map((field) => (field[0] === name ? [name, value] : field))
}

function without(name: string): readonly Field[] {
  return GET.filter((field) => field[0] !== name)
}

function refusals(sends: Readonly<Record<string, readonly Field[]>>): Http2Case[] {
  return Object.entries(sends).map(([name, fields]) => ({ name, fields, verdict: REFUSED }))
}

const LENGTHS: readonly Http2Case[] = [
  {
    name: 'H2.CL, a length below the body',
    fields: [...POST, ['content-length', '3']],
    body: `abc${SMUGGLED}`,
    endsConnection: true,
    verdict: { brokenOff: 400 },
  },
  {
    name: 'H2.CL, a length above the body',
    fields: [...POST, ['content-length', '100']],
    body: 'abc',
    verdict: { brokenOff: 400 },
  },
  { name: 'H2.CL, a length and no body', fields: [...POST, ['content-length', '5']], verdict: REFUSED },
  {
    name: 'H2.CL, nothing announced',
    fields: [...POST, ['content-length', '0']],
    body: SMUGGLED,
    endsConnection: true,
    verdict: { atMost: { line: 'POST /case HTTP/1.1', body: '' } },
  },
  ...refusals({
    'two lengths': [...POST, ['content-length', '5'], ['content-length', '5']],
    'a list of lengths': [...POST, ['content-length', '5, 5']],
    'a length with a sign': [...POST, ['content-length', '+5']],
    'an empty length': [...POST, ['content-length', '']],
  }),
]

const CONNECTION: readonly Http2Case[] = refusals({
  'H2.TE, in upper case': [...POST, ['Transfer-Encoding', 'chunked']],
  'a name in upper case': [...GET, ['X-A', 'b']],
  'H2.TE, with a line feed': [...POST, ['transfer-encoding', 'chunked\n']],
  'H2.TE': [...POST, ['transfer-encoding', 'chunked']],
  'a Connection field': [...GET, ['connection', 'x-secret']],
  'Keep-Alive': [...GET, ['keep-alive', 'timeout=5']],
  'Proxy-Connection': [...GET, ['proxy-connection', 'keep-alive']],
  'an upgrade to h2c': [...GET, ['upgrade', 'h2c']],
  'TE with more than trailers': [...GET, ['te', 'trailers, deflate']],
})

const PSEUDO: readonly Http2Case[] = refusals({
  'a line feed in the target': replaced(':path', `/case HTTP/1.1\r\nX: y`),
  'a request in the target': replaced(':path', `/case HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`),
  'a space in the target': replaced(':path', '/a b'),
  'an empty target': replaced(':path', ''),
  'a target without a slash': replaced(':path', 'case'),
  'a target in absolute form': replaced(':path', 'https://example.com/case'),
  'an asterisk for GET': replaced(':path', '*'),
  'a fragment in the target': replaced(':path', '/case#x'),
  'a request line in the method': replaced(':method', 'GET /smuggled HTTP/1.1\r\nX:'),
  'a space in the method': replaced(':method', 'GET /smuggled'),
  'a method in lower case': replaced(':method', 'get'),
  'an empty method': replaced(':method', ''),
  'a scheme with more': replaced(':scheme', 'https://evil.example/?'),
  'an unknown scheme': replaced(':scheme', 'ftp'),
  'a field in the authority': replaced(':authority', 'example.com\r\nX: y'),
  'user information in the authority': replaced(':authority', 'user@example.com'),
  'an empty authority': replaced(':authority', ''),
  'another Host than the authority': [...GET, ['host', 'other.example']],
  'two authorities': [...GET, AUTHORITY],
  'two methods': [METHOD, ...GET],
  'two targets': [PATH, ...GET],
  'two Host fields': [...without(':authority'), ['host', 'example.com'], ['host', 'example.com']],
  'no authority at all': without(':authority'),
  'no method': without(':method'),
  'no scheme': without(':scheme'),
  'no target': without(':path'),
  'a pseudo-header behind a field': [...without(':authority'), ['x', 'y'], AUTHORITY],
  'a pseudo-header of responses': [...GET, [':status', '200']],
  'a pseudo-header that nobody knows': [...GET, [':other', 'x']],
  CONNECT: [
    [':method', 'CONNECT'],
    [':authority', 'example.com:443'],
  ],
  'a WebSocket (RFC 8441)': [[':method', 'CONNECT'], [':protocol', 'websocket'], SCHEME, PATH, AUTHORITY],
})

/** node:http2 leaves out what is no field; it goes nowhere. */
const DROPPED: readonly Http2Case[] = Object.entries<Field>({
  'a name with a space': ['transfer-encoding ', 'chunked'],
  'a name with a colon': ['x: y', 'z'],
  'a name with a line feed': ['x\r\ntransfer-encoding', 'chunked'],
  'an empty name': ['', 'x'],
  'a value with a field in it': ['x-a', 'b\r\nTransfer-Encoding: chunked'],
  'a value with a request in it': ['x-a', `b\r\n\r\n${SMUGGLED}`],
  'a value with a line feed': ['x-a', 'b\nc'],
  'a value with a NUL': ['x-a', 'b\0c'],
  'an underscore in a coding': ['transfer_encoding', 'chunked'],
}).map(([name, field]) => ({
  name,
  fields: [...GET, field],
  verdict: { dropped: ['transfer-encoding', 'transfer_encoding', 'x-a', 'x'] },
}))

const FORWARDED: readonly Http2Case[] = [
  {
    name: 'a Host field alone',
    fields: [...without(':authority'), ['host', 'example.com']],
    verdict: { forwarded: [{ line: LINE }] },
  },
  {
    name: 'Host like the authority',
    fields: [...GET, ['host', 'EXAMPLE.com']],
    verdict: { forwarded: [{ line: LINE }] },
  },
  {
    name: 'the scheme that the client of a proxy used',
    fields: replaced(':scheme', 'http'),
    verdict: { forwarded: [{ line: LINE }] },
  },
  {
    name: 'TE for trailers',
    fields: [...GET, ['te', 'trailers']],
    verdict: { forwarded: [{ line: LINE }] },
  },
  {
    name: 'a body that looks like a request',
    fields: POST,
    body: SMUGGLED,
    verdict: { forwarded: [{ line: 'POST /case HTTP/1.1', body: SMUGGLED }] },
  },
  {
    name: 'a body that looks like chunks',
    fields: POST,
    body: `0\r\n\r\n${SMUGGLED}`,
    verdict: { forwarded: [{ line: 'POST /case HTTP/1.1', body: `0\r\n\r\n${SMUGGLED}` }] },
  },
  {
    name: 'trailers',
    fields: POST,
    body: 'abc',
    trailers: [
      ['x-late', '1'],
      ['host', 'other.example'],
      ['authorization', 'Bearer x'],
    ],
    verdict: {
      forwarded: [{ line: 'POST /case HTTP/1.1', body: 'abc', without: ['x-late', 'authorization'] }],
    },
  },
  {
    name: 'trailers with a pseudo-header',
    fields: POST,
    body: 'abc',
    trailers: [[':path', '/other']],
    verdict: { brokenOff: 400 },
  },
]

export const HTTP2_CASES: readonly Http2Case[] = [
  ...LENGTHS,
  ...CONNECTION,
  ...PSEUDO,
  ...DROPPED,
  ...FORWARDED,
]
