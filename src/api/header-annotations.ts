import { HOP_BY_HOP_FIELDS } from '../hop-by-hop-fields.ts'
import type { AnnotationReader } from './annotation-reader.ts'

export const HEADER_ANNOTATIONS = [
  'request-headers-set',
  'request-headers-add',
  'request-headers-remove',
  'response-headers-set',
  'response-headers-add',
  'response-headers-remove',
] as const

type Direction = 'request' | 'response'

/** Edits of the header section of requests or responses. */
export interface HeaderEditAnnotations {
  /** Lower case. */
  readonly remove: readonly string[]
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly add: readonly (readonly [name: string, value: string])[]
}

const MAXIMUM_LINES = 32
const NAME = /^[A-Za-z0-9!#$%&'*+\-.^`|~]{1,128}$/
// Printable ASCII: a line break would start another field, other bytes are read differently by every server.
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/

// They frame the message, end at each hop, choose the route, or are set by Ostiary alone.
const FRAMING = new Set([...HOP_BY_HOP_FIELDS, 'content-length', 'content-range', 'date', 'host'])
const IDENTITY = new Set([
  'x-access-token',
  'x-anonymous-consumer',
  'x-authenticated-groups',
  'x-credential-identifier',
  'x-id-token',
  'x-userinfo',
])
const REQUEST_SET = new Set([
  'authorization',
  'content-encoding',
  'content-type',
  'cookie',
  'forwarded',
  'proxy',
  'x-original-uri',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
])
const RESPONSE_SET = new Set(['content-encoding', 'set-cookie', 'ratelimit', 'ratelimit-policy'])

/** @returns `undefined` where there is none, or it cannot be taken. */
export function readHeaderEdits(
  reader: AnnotationReader,
  direction: Direction,
): HeaderEditAnnotations | undefined {
  const set = readFields(reader, direction, 'set')
  const add = readFields(reader, direction, 'add')
  const remove = readNames(reader, direction)
  if (set === undefined && add === undefined && remove === undefined) return undefined
  return { remove: remove ?? [], set: set ?? [], add: add ?? [] }
}

/** One field a line, as `Name: value`. */
function readFields(
  reader: AnnotationReader,
  direction: Direction,
  act: 'set' | 'add',
): (readonly [string, string])[] | undefined {
  const name = `${direction}-headers-${act}`
  const text = reader.text(name)
  if (text === undefined) return undefined
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (lines.length === 0 || lines.length > MAXIMUM_LINES) {
    return reader.invalid(name, `must hold 1 to ${MAXIMUM_LINES} lines as "Name: value"`)
  }
  const fields: (readonly [string, string])[] = []
  for (const [index, line] of lines.entries()) {
    const field = readField(line)
    if (field === undefined) {
      return reader.invalid(
        name,
        `must hold lines as "Name: value", in printable ASCII; line ${index + 1} is not`,
      )
    }
    const why = refusalOf(field[0].toLowerCase(), direction, act)
    if (why !== undefined) return reader.invalid(name, `names ${field[0]}, ${why}`)
    fields.push(field)
  }
  const names = new Set(fields.map(([field]) => field.toLowerCase()))
  if (act === 'set' && names.size < fields.length) return reader.invalid(name, 'sets a header twice')
  return fields
}

function readField(line: string): readonly [string, string] | undefined {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon)).trimEnd()
  const value = line.slice(colon + 1).trim()
  return NAME.test(name) && VALUE.test(value) ? [name, value] : undefined
}

function readNames(reader: AnnotationReader, direction: Direction): string[] | undefined {
  const name = `${direction}-headers-remove`
  const names = reader.list(name)?.map((item) => item.toLowerCase())
  if (names === undefined) return undefined
  if (names.length > MAXIMUM_LINES || !names.every((item) => NAME.test(item))) {
    return reader.invalid(name, `must list up to ${MAXIMUM_LINES} header names, parted by commas`)
  }
  for (const item of names) {
    const why = refusalOf(item, direction, 'remove')
    if (why !== undefined) return reader.invalid(name, `names ${item}, ${why}`)
  }
  return [...new Set(names)].sort()
}

function refusalOf(name: string, direction: Direction, act: 'set' | 'add' | 'remove'): string | undefined {
  if (name === 'host') return 'for which there is ostiary.dev/upstream-host'
  if (FRAMING.has(name) || name.startsWith('sec-websocket-')) return 'which belongs to the connection'
  if (name.startsWith('access-control-')) {
    return direction === 'response' ? 'for which there are ostiary.dev/cors-*' : undefined
  }
  if (direction === 'request' && saysWhoAsks(name)) return 'which only Ostiary may say'
  if (act === 'remove') return undefined
  const refused = direction === 'request' ? REQUEST_SET : RESPONSE_SET
  return refused.has(name) ? 'which an Ingress may not set' : undefined
}

/** Upstreams take these on Ostiary's word: see proxy/identity-headers.ts. */
function saysWhoAsks(name: string): boolean {
  return (
    IDENTITY.has(name) ||
    /^(?:x-(?:auth-request|consumer|forwarded)|ssl-client|client-cert)(?:-|$)/.test(name)
  )
}
