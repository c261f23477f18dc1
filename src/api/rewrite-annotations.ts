import { RE2JS } from 're2js'
import type { AnnotationReader } from './annotation-reader.ts'

export const REWRITE_ANNOTATIONS = [
  'strip-path',
  'rewrite-target',
  'rewrite-pattern',
  'preserve-host',
  'upstream-host',
] as const

/** What the upstream sees in place of the client's path and host. */
export interface RewriteAnnotations {
  /** The route's own path is taken off. */
  readonly stripPath: boolean
  readonly rewrite?: {
    /** Texts and numbers of groups in turn. */
    readonly template: readonly (string | number)[]
    readonly pattern?: string
  }
  /** `false`: the upstream sees the Service's name. Default: the client's host. */
  readonly preserveHost?: boolean
  readonly upstreamHost?: string
}

// No escapes: what the upstream decodes must be plain to whoever reads the Ingress.
const TEMPLATE = /^\/(?:[A-Za-z0-9\-._~!&'()*+,;=:@/]|\$[\d$])*$/
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/
const HOST =
  /^(?=.{1,259}$)[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*(:[1-9]\d{0,4})?$/
const MAXIMUM_TARGET_LENGTH = 1024
// A group may be all of a path, which strangers send: a thousand of it would be a path of megabytes.
const MAXIMUM_GROUPS_USED = 9
const MAXIMUM_PATTERN_LENGTH = 256
// Work on a path grows with its length times this: strangers send the paths.
const MAXIMUM_PROGRAM_SIZE = 128

/** @returns `undefined` where none of the annotations is set, or what is set cannot be taken. */
export function readRewrite(reader: AnnotationReader): RewriteAnnotations | undefined {
  const stripPath = reader.boolean('strip-path') ?? false
  const rewrite = readTarget(reader)
  const preserveHost = reader.boolean('preserve-host')
  const upstreamHost = readHost(reader)
  if (stripPath && rewrite !== undefined) {
    return reader.invalid('strip-path', 'stands beside ostiary.dev/rewrite-target; remove one of the two')
  }
  if (preserveHost !== undefined && upstreamHost !== undefined) {
    return reader.invalid('preserve-host', 'stands beside ostiary.dev/upstream-host; remove one of the two')
  }
  if (!stripPath && rewrite === undefined && preserveHost !== false && upstreamHost === undefined) {
    return undefined
  }
  return {
    stripPath,
    ...(rewrite && { rewrite }),
    ...(preserveHost !== undefined && { preserveHost }),
    ...(upstreamHost !== undefined && { upstreamHost }),
  }
}

function readTarget(reader: AnnotationReader): RewriteAnnotations['rewrite'] {
  const target = reader.text('rewrite-target')
  const pattern = reader.text('rewrite-pattern')
  if (target === undefined) {
    return pattern === undefined
      ? undefined
      : reader.invalid('rewrite-pattern', 'needs ostiary.dev/rewrite-target beside it')
  }
  if (!isPlainTarget(target)) {
    return reader.invalid(
      'rewrite-target',
      `must be a path as /new/$1 of at most ${MAXIMUM_TARGET_LENGTH} characters, without query, escapes, "//" and dot segments; $$ is a dollar sign`,
    )
  }
  const template = parseTemplate(target)
  if (template.filter((part) => typeof part === 'number').length > MAXIMUM_GROUPS_USED) {
    return reader.invalid('rewrite-target', `may name groups ${MAXIMUM_GROUPS_USED} times`)
  }
  const groups = pattern === undefined ? 1 : groupCount(reader, pattern)
  if (groups === undefined) return undefined
  const unknown = template.find((part) => typeof part === 'number' && (part > groups || part === 0))
  if (unknown !== undefined) {
    const known = groups === 0 ? 'there are none' : `known: $1${groups > 1 ? ` to $${groups}` : ''}`
    return reader.invalid('rewrite-target', `names group $${unknown}; ${known}`)
  }
  return { template, ...(pattern !== undefined && { pattern }) }
}

function isPlainTarget(target: string): boolean {
  if (target.length > MAXIMUM_TARGET_LENGTH || !TEMPLATE.test(target)) return false
  return !target.includes('//') && !DOT_SEGMENT.test(target)
}

function parseTemplate(target: string): (string | number)[] {
  const parts: (string | number)[] = []
  let text = ''
  for (const [piece] of target.matchAll(/\$.|[^$]+/g)) {
    if (/^\$\d$/.test(piece)) {
      if (text !== '') parts.push(text)
      parts.push(Number(piece[1]))
      text = ''
    } else {
      text += piece === '$$' ? '$' : piece
    }
  }
  return text === '' ? parts : [...parts, text]
}

function groupCount(reader: AnnotationReader, pattern: string): number | undefined {
  if (pattern === '' || pattern.length > MAXIMUM_PATTERN_LENGTH) {
    return reader.invalid('rewrite-pattern', `must have 1 to ${MAXIMUM_PATTERN_LENGTH} characters`)
  }
  try {
    const compiled = RE2JS.compile(pattern)
    if (compiled.programSize() > MAXIMUM_PROGRAM_SIZE) {
      return reader.invalid('rewrite-pattern', 'is too large; use fewer repetitions and alternatives')
    }
    return compiled.groupCount()
  } catch {
    return reader.invalid(
      'rewrite-pattern',
      'must be a regular expression of RE2: no look-around and no back-references',
    )
  }
}

function readHost(reader: AnnotationReader): string | undefined {
  const host = reader.text('upstream-host')?.toLowerCase()
  if (host === undefined) return undefined
  const port = Number(host.split(':')[1] ?? 1)
  if (HOST.test(host) && port <= 65_535) return host
  return reader.invalid('upstream-host', 'must be a host name with an optional port, as api.example.com:8443')
}
