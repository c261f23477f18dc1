/** An answer that two clients could read differently, or that is more than one. */
export interface ResponseCase {
  readonly name: string
  readonly method?: 'HEAD'
  /** What the upstream sends, a character for each byte. */
  readonly answer: string
  readonly verdict: ResponseVerdict
}

export type ResponseVerdict =
  /** The client gets this. */
  | { readonly status: number; readonly body: string }
  /** The client sees that its answer is not whole: the connection ends inside it. */
  | 'cut'

/** What another client must never be given. */
export const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'

const GOOD: ResponseVerdict = { status: 200, body: 'good' }
const BAD_GATEWAY: ResponseVerdict = { status: 502, body: '' }

/** 200 with fields and a body. */
function ok(fields: string, body = 'good'): string {
  return `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`
}

function cases(
  verdict: ResponseVerdict,
  answers: Readonly<Record<string, string>>,
  method?: 'HEAD',
): ResponseCase[] {
  return Object.entries(answers).map(([name, answer]) => ({
    name,
    answer,
    verdict,
    ...(method !== undefined && { method }),
  }))
}

export const RESPONSE_CASES: readonly ResponseCase[] = [
  ...cases(GOOD, {
    'two answers': ok('Content-Length: 4\r\n') + EVIL,
    'two answers, the first in chunks': ok('Transfer-Encoding: chunked\r\n', `4\r\ngood\r\n0\r\n\r\n${EVIL}`),
    'an answer and half of another': ok('Content-Length: 4\r\n') + EVIL.slice(0, 20),
    'more than its length': ok('Content-Length: 4\r\n', 'good and more'),
    'an interim answer, an answer and another': `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('Content-Length: 4\r\n')}${EVIL}`,
    'many interim answers': 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50) + ok('Content-Length: 4\r\n'),
    'a trailer that is a length': ok('Transfer-Encoding: chunked\r\n', '4\r\ngood\r\n0\r\nX: y\r\n\r\n'),
    'zeros in front of a length': ok('Content-Length: 0004\r\n'),
    // Read as HTTP/1.1, and told on as that.
    'another version of HTTP': `HTTP/2.0 200 OK\r\nContent-Length: 4\r\n\r\ngood`,
    'a chunk with an extension': ok('Transfer-Encoding: chunked\r\n', '4;a=b\r\ngood\r\n0\r\n\r\n'),
  }),
  ...cases(
    { status: 204, body: '' },
    {
      '204 with a body': `HTTP/1.1 204 No Content\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`,
      '204 and another answer': `HTTP/1.1 204 No Content\r\n\r\n${EVIL}`,
    },
  ),
  ...cases(
    { status: 304, body: '' },
    {
      '304 and another answer': `HTTP/1.1 304 Not Modified\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`,
    },
  ),
  ...cases(
    { status: 200, body: '' },
    {
      'a HEAD that is answered with a body': ok(`Content-Length: ${EVIL.length}\r\n`, EVIL),
      'a HEAD that is answered in chunks': ok(
        'Transfer-Encoding: chunked\r\n',
        `4\r\nevil\r\n0\r\n\r\n${EVIL}`,
      ),
    },
    'HEAD',
  ),
  ...cases(BAD_GATEWAY, {
    'length and chunks': ok('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '4\r\ngood\r\n0\r\n\r\n'),
    'chunks and length': ok('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '4\r\ngood\r\n0\r\n\r\n'),
    'two lengths': ok('Content-Length: 4\r\nContent-Length: 5\r\n', 'good!'),
    'the same length twice': ok('Content-Length: 4\r\nContent-Length: 4\r\n'),
    'two lengths in one field': ok('Content-Length: 4, 4\r\n'),
    'a negative length': ok('Content-Length: -4\r\n'),
    'a length in hexadecimal': ok('Content-Length: 0x4\r\n'),
    'a folded field': ok('X: y\r\n z\r\nContent-Length: 4\r\n'),
    'a bare LF behind a field': ok('X: y\nContent-Length: 4\r\n'),
    'a bare CR in a value, which would split the answer': ok(
      'X: y\rSet-Cookie: a=b\r\nContent-Length: 4\r\n',
    ),
    'a NUL in a value': ok('X: y\0z\r\nContent-Length: 4\r\n'),
    'a space before a colon': ok('Content-Length : 4\r\n'),
    'a name that is none': ok('X(Y): z\r\nContent-Length: 4\r\n'),
    'a protocol that was not asked for': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${EVIL}`,
    'an interim answer to an expectation that nobody had': `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 4\r\n')}`,
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    'a body alone': 'good',
    'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 4\r\n\r\ngood',
    'a status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 4\r\n\r\ngood',
    'fields without an end': `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\nContent-Length: 4\r\n\r\ngood`,
  }),
  ...cases('cut', {
    'a size that is none': ok('Transfer-Encoding: chunked\r\n', `zz\r\ngood\r\n0\r\n\r\n`),
    'a size of 2^64 + 4': ok(
      'Transfer-Encoding: chunked\r\n',
      '4\r\ngood\r\n10000000000000004\r\ngood\r\n0\r\n\r\n',
    ),
    'a chunk that is longer than its size': ok('Transfer-Encoding: chunked\r\n', '3\r\ngood\r\n0\r\n\r\n'),
  }),
]
