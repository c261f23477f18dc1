/** A request, or several, that two servers could read differently. */
export interface SmugglingCase {
  readonly name: string
  /** What the client sends, a character for each byte. */
  readonly send: string
  readonly verdict: Verdict
}

export type Verdict =
  /** One response of that status, and nothing reaches the upstream. */
  | { readonly refused: number }
  /** The upstream gets exactly these, each framed in one way, and the client as many responses of 200. */
  | { readonly forwarded: readonly Forwarded[] }
  /** It was on its way when the fault came: the upstream never sees its end, and the client's connection is over. */
  | { readonly brokenOff: number }

export interface Forwarded {
  readonly line: string
  readonly body?: string
  /** Names of fields that must not be there. */
  readonly without?: readonly string[]
}

const HOST = 'Host: example.com\r\n'
/** What the attacker wants to be taken for a request of its own. */
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`

const REFUSED: Verdict = { refused: 400 }
const BROKEN_OFF: Verdict = { brokenOff: 400 }

function post(fields: string, body: string): string {
  return `POST /case HTTP/1.1\r\n${HOST}${fields}\r\n${body}`
}

function get(fields: string): string {
  return `GET /case HTTP/1.1\r\n${HOST}${fields}\r\n`
}

function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body)
}

function posted(body: string, without: readonly string[] = []): Verdict {
  return { forwarded: [{ line: 'POST /case HTTP/1.1', body, without }] }
}

function got(...without: readonly string[]): Verdict {
  return { forwarded: [{ line: 'GET /case HTTP/1.1', without }] }
}

function cases(verdict: Verdict, sends: Readonly<Record<string, string>>): SmugglingCase[] {
  return Object.entries(sends).map(([name, send]) => ({ name, send, verdict }))
}

const LENGTH_AND_CHUNKS = cases(REFUSED, {
  'CL.TE': post(
    `Content-Length: ${SMUGGLED.length + 5}\r\nTransfer-Encoding: chunked\r\n`,
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'TE.CL': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  'CL.0': post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  '0.CL': get('Transfer-Encoding: chunked\r\nContent-Length: 44\r\n') + SMUGGLED,
  'CL.TE where the names are spelt oddly': post(
    'cOnTeNt-LeNgTh: 6\r\ntRaNsFeR-eNcOdInG: chunked\r\n',
    '0\r\n\r\nX',
  ),
})

const TRANSFER_ENCODINGS = [
  ...cases(REFUSED, {
    'TE.TE, the second unknown': post(
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n',
      `0\r\n\r\n${SMUGGLED}`,
    ),
    'TE.TE, both chunked': post(
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
      `0\r\n\r\n${SMUGGLED}`,
    ),
    'an unknown coding alone': post('Transfer-Encoding: cow\r\n', SMUGGLED),
    'an unknown coding that begins with chunked': post('Transfer-Encoding: chunkedx\r\n', SMUGGLED),
    'an unknown coding that ends with chunked': post('Transfer-Encoding: xchunked\r\n', SMUGGLED),
    identity: post('Transfer-Encoding: identity\r\n', SMUGGLED),
    'identity beside a length': post(
      'Transfer-Encoding: identity\r\nContent-Length: 3\r\n',
      `abc${SMUGGLED}`,
    ),
    'chunked that is not last': post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${SMUGGLED}`),
    'chunked twice in one field': post('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'chunked in quotes': post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${SMUGGLED}`),
    'chunked with a parameter': post('Transfer-Encoding: chunked;a=b\r\n', `0\r\n\r\n${SMUGGLED}`),
    'an empty coding': post('Transfer-Encoding: \r\n', SMUGGLED),
    'an empty coding beside a length': post('Transfer-Encoding:\r\nContent-Length: 3\r\n', `abc${SMUGGLED}`),
    'a vertical tab before chunked': post('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a form feed after chunked': post('Transfer-Encoding: chunked\x0c\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a non-breaking space before chunked': post('Transfer-Encoding: \xa0chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a NUL behind chunked': post('Transfer-Encoding: chunked\0\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a space before the colon': post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a tab before the colon': post('Transfer-Encoding\t: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a space before the name': post(' Transfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a folded value': post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a field behind a bare LF': post('X: y\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a field behind a bare CR': post('X: y\rTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    'a name that goes on behind a line break': post(
      'Transfer-Encoding\r\n: chunked\r\n',
      `0\r\n\r\n${SMUGGLED}`,
    ),
    'chunks in HTTP/1.0': `POST /case HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'chunks in HTTP/1.0 that keeps the connection': `POST /case HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  }),
  ...cases(
    { refused: 501 },
    {
      'TE.TE, the first unknown': post(
        'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n',
        `0\r\n\r\n${SMUGGLED}`,
      ),
      'a coding before chunked': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    },
  ),
  ...cases(posted('abc'), {
    'a tab instead of the space': post('Transfer-Encoding:\tchunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'chunked in capitals': post('Transfer-Encoding: CHUNKED\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'Connection names Transfer-Encoding': post(
      'Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n',
      '3\r\nabc\r\n0\r\n\r\n',
    ),
  }),
  ...cases(posted('abc', ['transfer_encoding']), {
    'Transfer_Encoding, which some take for the field': post(
      'Transfer_Encoding: chunked\r\nContent-Length: 3\r\n',
      'abc',
    ),
  }),
]

const LENGTHS = [
  ...cases(REFUSED, {
    'two lengths': post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'),
    'the same length twice': post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'),
    'two lengths in one field': post('Content-Length: 3, 4\r\n', 'abcd'),
    'the same length twice in one field': post('Content-Length: 3, 3\r\n', 'abc'),
    'a plus sign': post('Content-Length: +3\r\n', 'abc'),
    'a minus sign': post('Content-Length: -3\r\n', 'abc'),
    'hexadecimal digits': post('Content-Length: 0x3\r\n', 'abc'),
    'a fraction': post('Content-Length: 3.0\r\n', 'abc'),
    'an underscore': post('Content-Length: 1_0\r\n', 'abcdefghij'),
    'a space inside': post('Content-Length: 3 4\r\n', 'abc'),
    'a length of 2^64 + 3': post('Content-Length: 18446744073709551619\r\n', 'abc'),
    'a length of very many digits': post(`Content-Length: ${'9'.repeat(100)}\r\n`, 'abc'),
    'an empty length': post('Content-Length: \r\n', SMUGGLED),
    'a length with a space before its colon': post('Content-Length : 3\r\n', 'abc'),
    'a folded length': post('Content-Length:\r\n 3\r\n', 'abc'),
  }),
  ...cases(posted('abc'), {
    'zeros in front': post('Content-Length: 0003\r\n', 'abc'),
    'spaces around': post('Content-Length:    3  \r\n', 'abc'),
    'Connection names Content-Length': post(
      'Content-Length: 3\r\nConnection: close, Content-Length\r\n',
      'abc',
    ),
    'Content_Length beside it': post('Content-Length: 3\r\nContent_Length: 0\r\n', 'abc'),
  }),
  ...cases(
    { forwarded: [{ line: 'GET /case HTTP/1.1', body: SMUGGLED }] },
    { 'a GET whose body is a request': get(`Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED },
  ),
  ...cases(
    { forwarded: [{ line: 'POST /case HTTP/1.1', body: '' }, { line: 'GET /smuggled HTTP/1.1' }] },
    {
      'a length of nothing, and then a request, which is one': post('Content-Length: 0\r\n', SMUGGLED),
      'no length, and then a request, which is one': post('', SMUGGLED),
    },
  ),
]

const FIELDS = [
  ...cases(REFUSED, {
    'a folded field': get('X: y\r\n z\r\n'),
    'a field folded by a tab': get('X: y\r\n\tz\r\n'),
    'the first field is indented': `GET /case HTTP/1.1\r\n ${HOST}\r\n`,
    'a bare LF behind the request line': `GET /case HTTP/1.1\n${HOST}\r\n`,
    'a bare LF behind a field': get('X: y\n'),
    'bare LFs alone': `GET /case HTTP/1.1\nHost: example.com\n\n`,
    'an empty line of a bare LF': `GET /case HTTP/1.1\r\n${HOST}\n`,
    'a bare CR in a value': get('X: y\rz\r\n'),
    'a NUL in a value': get('X: y\0z\r\n'),
    'a NUL in a name': get('X\0: y\r\n'),
    'a control character in a value': get('X: y\x01z\r\n'),
    'DEL in a name': get('X\x7f: y\r\n'),
    'a space before a colon': get('X : y\r\n'),
    'a space inside a name': get('X y: z\r\n'),
    'no name': get(': y\r\n'),
    'no colon': get('X\r\n'),
    'brackets in a name': get('X[0]: y\r\n'),
    'a name that is not ASCII': get('X\xe9: y\r\n'),
  }),
  ...cases(got('authorization'), {
    'Connection names a field that is dropped for it': get(
      'Authorization: Bearer x\r\nConnection: authorization\r\n',
    ),
  }),
  ...cases(got('x'), { 'Connection names Host and X': get('X: y\r\nConnection: close, host, x\r\n') }),
  ...cases(got('upgrade', 'http2-settings', 'connection-x'), {
    'an upgrade to h2c': get(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    ),
  }),
  ...cases(got(), { 'a value that is not ASCII': get('X: \xe9\r\n') }),
]

const HOSTS = cases(REFUSED, {
  'two hosts': `GET /case HTTP/1.1\r\n${HOST}Host: other.example\r\n\r\n`,
  'the same host twice': `GET /case HTTP/1.1\r\n${HOST}${HOST}\r\n`,
  'two hosts in one field': 'GET /case HTTP/1.1\r\nHost: example.com, other.example\r\n\r\n',
  'two hosts, one folded in': `GET /case HTTP/1.1\r\n${HOST} other.example\r\n\r\n`,
  'a user in the host': 'GET /case HTTP/1.1\r\nHost: other@example.com\r\n\r\n',
  'a path in the host': 'GET /case HTTP/1.1\r\nHost: example.com/other\r\n\r\n',
  'an empty host': 'GET /case HTTP/1.1\r\nHost:\r\n\r\n',
  'no host': 'GET /case HTTP/1.1\r\nX: y\r\n\r\n',
  'a port that is none': 'GET /case HTTP/1.1\r\nHost: example.com:80x\r\n\r\n',
  'an absolute form of another host': `GET http://other.example/case HTTP/1.1\r\n${HOST}\r\n`,
  'an absolute form with a user': `GET http://a@example.com/case HTTP/1.1\r\n${HOST}\r\n`,
  'an absolute form of another scheme': `GET ftp://example.com/case HTTP/1.1\r\n${HOST}\r\n`,
  'an absolute form without a host': `GET http:///case HTTP/1.1\r\n${HOST}\r\n`,
  'an absolute form of another port': `GET http://example.com:81/case HTTP/1.1\r\n${HOST}\r\n`,
})

const REQUEST_LINES = [
  ...cases(REFUSED, {
    'HTTP/0.9': 'GET /case\r\n\r\n',
    'HTTP/1.2': `GET /case HTTP/1.2\r\n${HOST}\r\n`,
    'HTTP/2 as text': `GET /case HTTP/2.0\r\n${HOST}\r\n`,
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a version of two digits': `GET /case HTTP/1.11\r\n${HOST}\r\n`,
    'a version in small letters': `GET /case http/1.1\r\n${HOST}\r\n`,
    'two versions': `GET /case HTTP/1.1 HTTP/1.1\r\n${HOST}\r\n`,
    'a tab': `GET\t/case HTTP/1.1\r\n${HOST}\r\n`,
    'a space in front': ` GET /case HTTP/1.1\r\n${HOST}\r\n`,
    'a space behind': `GET /case HTTP/1.1 \r\n${HOST}\r\n`,
    'a method in small letters': `get /case HTTP/1.1\r\n${HOST}\r\n`,
    'a NUL behind the method': `GET\0 /case HTTP/1.1\r\n${HOST}\r\n`,
    'a NUL in the target': `GET /case\0 HTTP/1.1\r\n${HOST}\r\n`,
    'a target that is not ASCII': `GET /cas\xe9 HTTP/1.1\r\n${HOST}\r\n`,
    'a fragment': `GET /case#x HTTP/1.1\r\n${HOST}\r\n`,
    'a bare CR in the target': `GET /case\rX HTTP/1.1\r\n${HOST}\r\n`,
  }),
  ...cases(got(), {
    'an absolute form of the same host': `GET http://example.com/case HTTP/1.1\r\n${HOST}\r\n`,
    'two spaces in the request line': `GET  /case HTTP/1.1\r\n${HOST}\r\n`,
    'empty lines in front': `\r\n\r\nGET /case HTTP/1.1\r\n${HOST}\r\n`,
    'HTTP/1.0': `GET /case HTTP/1.0\r\n${HOST}\r\n`,
  }),
]

const CHUNKS = [
  ...cases(posted('abc'), {
    'an extension': chunked('3;name=value\r\nabc\r\n0\r\n\r\n'),
    'an extension in quotes': chunked('3;name="v;\\"x"\r\nabc\r\n0;last\r\n\r\n'),
    'zeros in front of a size': chunked('0003\r\nabc\r\n00\r\n\r\n'),
    'a trailer': chunked('3\r\nabc\r\n0\r\nX: y\r\n\r\n'),
  }),
  ...cases(posted('abc', ['authorization', 'x-userinfo']), {
    'trailers that would be fields': chunked(
      '3\r\nabc\r\n0\r\nHost: other.example\r\nAuthorization: Bearer x\r\nX-Userinfo: x\r\n\r\n',
    ),
  }),
  ...cases(
    { forwarded: [{ line: 'POST /case HTTP/1.1', body: 'abc' }, { line: 'GET /smuggled HTTP/1.1' }] },
    { 'a request behind the last chunk, which is one': chunked(`3\r\nabc\r\n0\r\n\r\n${SMUGGLED}`) },
  ),
  ...cases(BROKEN_OFF, {
    'a size with 0x': chunked(`0x3\r\nabc\r\n0\r\n\r\n`),
    'a size with a plus sign': chunked('+3\r\nabc\r\n0\r\n\r\n'),
    'a size with a minus sign': chunked('-3\r\nabc\r\n0\r\n\r\n'),
    'a size with a space before it': chunked(' 3\r\nabc\r\n0\r\n\r\n'),
    'a size with a space behind it': chunked('3 \r\nabc\r\n0\r\n\r\n'),
    'a size of 2^64 + 3': chunked('10000000000000003\r\nabc\r\n0\r\n\r\n'),
    'a size of very many digits': chunked(`${'f'.repeat(100)}\r\nabc\r\n0\r\n\r\n`),
    'no size': chunked('\r\nabc\r\n0\r\n\r\n'),
    'a size behind a bare LF': chunked('3\nabc\r\n0\r\n\r\n'),
    'an extension with a bare LF': chunked(`3;\nabc\r\n0\r\n\r\n`),
    'an extension with a bare CR': chunked('3;a\rb\r\nabc\r\n0\r\n\r\n'),
    'an extension with a NUL': chunked('3;a\0b\r\nabc\r\n0\r\n\r\n'),
    'data that is longer than its chunk': chunked('3\r\nabcdef\r\n0\r\n\r\n'),
    'data that ends with a bare LF': chunked('3\r\nabc\n0\r\n\r\n'),
    'a last chunk that ends with a bare LF': chunked(`3\r\nabc\r\n0\n\n${SMUGGLED}`),
    'a trailer with a space before its colon': chunked('3\r\nabc\r\n0\r\nX : y\r\n\r\n'),
    'a trailer that is a length': chunked('3\r\nabc\r\n0\r\nContent-Length: 0\r\n\r\n'),
    'a trailer that is a coding': chunked(`3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED}`),
    'a trailer that is folded': chunked('3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n'),
    'a trailer behind a bare LF': chunked('3\r\nabc\r\n0\r\nX: y\nZ: z\r\n\r\n'),
  }),
]

/** What is refused takes nothing along that came behind it, and passes nothing on. */
const PIPELINES = [
  ...cases(REFUSED, {
    'a request behind one that cannot be read': `GET /case HTTP/1.1\r\n${HOST}X : y\r\n\r\n${SMUGGLED}`,
    'a request behind one with two framings': post(
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      `0\r\n\r\n${SMUGGLED}`,
    ),
  }),
]

export const REQUEST_CASES: readonly (SmugglingCase & { readonly group: string })[] = Object.entries({
  'length and chunks': LENGTH_AND_CHUNKS,
  'transfer codings': TRANSFER_ENCODINGS,
  lengths: LENGTHS,
  fields: FIELDS,
  hosts: HOSTS,
  'request lines': REQUEST_LINES,
  chunks: CHUNKS,
  pipelines: PIPELINES,
}).flatMap(([group, all]) => all.map((each) => ({ ...each, group })))
