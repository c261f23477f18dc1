import { HOP_BY_HOP_FIELDS } from '../../../hop-by-hop-fields.ts'
import { OstiaryError } from '../../../errors.ts'
import { readQuestion, type RequestWords } from '../../../explain/question.ts'

/** A request as it goes through the data plane: what was typed and nothing else. */
export interface SentRequest {
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** As it was typed. */
  readonly target: string
  /** For the handshake; absent: none is named. */
  readonly serverName?: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Names of those that end at each hop, which is here. */
  readonly leftOut: readonly string[]
}

/** TRACE would give back what the data plane adds, and CONNECT asks for a tunnel. */
const REFUSED_METHODS = new Set(['TRACE', 'CONNECT'])

/** @throws OstiaryError ERR_SETTINGS_INVALID where the request cannot be read or is none that is sent. */
export function readSentRequest(words: RequestWords): SentRequest {
  const { request } = readQuestion(words)
  const [first = '', ...lines] = request.head.trimEnd().split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  if (REFUSED_METHODS.has(method.toUpperCase())) {
    throw new OstiaryError(
      'ERR_SETTINGS_INVALID',
      `${method} requests are explained, but never sent from here`,
    )
  }
  const all = lines.map(readLine)
  const dropped = new Set([...HOP_BY_HOP_FIELDS, ...namedByConnection(all)])
  return {
    method,
    scheme: request.scheme,
    target,
    ...(request.serverName !== undefined && { serverName: request.serverName }),
    fields: all.filter(([name]) => !dropped.has(name.toLowerCase())),
    leftOut: all.filter(([name]) => dropped.has(name.toLowerCase())).map(([name]) => name),
  }
}

function readLine(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(': ')
  return [line.slice(0, colon), line.slice(colon + 2)]
}

function namedByConnection(fields: SentRequest['fields']): string[] {
  return fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((name) => name.trim().toLowerCase()))
    .filter((name) => name !== 'host')
}
