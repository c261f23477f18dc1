import type { IngressPath } from '../api/ingress.ts'
import { normalPath } from '../table/normal-path.ts'

/** A path of a rule, read. */
export type PathReading =
  | {
      readonly ok: true
      readonly pathType: 'Exact' | 'Prefix'
      /** In the form of RFC 3986 §6.2.2; a Prefix without its trailing slash, but for `/` itself. */
      readonly path: string
      /** A Prefix was written with a trailing slash: it counts as longer than without. */
      readonly trailingSlash: boolean
    }
  | { readonly ok: false; readonly problem: string }

/** What the Ingress opted in to. */
export interface PathOptions {
  readonly allowEncodedSlash: boolean
  readonly allowDoubleSlash: boolean
}

const REGEX_CHARACTERS = /[*()+$^|[\]{}]/

/**
 * Reads a path of a rule: normalises it as request paths are, and refuses what no request can have because the proxy
 * answers 400 to it. ImplementationSpecific is Prefix, and empty there is `/`.
 */
export function readPath({ path: written, pathType }: IngressPath, options: PathOptions): PathReading {
  const text = written === '' || written === undefined ? rootWhereImplied(pathType) : written
  const problem = rawProblem(text) ?? encodingProblem(text, options)
  if (problem !== undefined) return { ok: false, problem }
  const path = normalPath(text)
  if (hasDotSegment(path)) return { ok: false, problem: 'has a dot segment (also through decoding)' }
  if (pathType === 'Exact') return { ok: true, pathType, path, trailingSlash: false }
  const stripped = path.replace(/\/+$/, '')
  return { ok: true, pathType: 'Prefix', path: stripped || '/', trailingSlash: path !== stripped }
}

/** Whether a path was probably written for a controller that reads regular expressions. */
export function looksLikeRegex({ path, pathType }: IngressPath): boolean {
  return (
    pathType === 'ImplementationSpecific' &&
    (REGEX_CHARACTERS.test(path ?? '') || path?.startsWith('/~/') === true)
  )
}

function rootWhereImplied(pathType: IngressPath['pathType']): string {
  return pathType === 'ImplementationSpecific' ? '/' : ''
}

function rawProblem(text: string): string | undefined {
  if (!text.startsWith('/')) return 'does not begin with /'
  if (!text.isWellFormed()) return 'is not well-formed Unicode'
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'has a control character'
  const forbidden = /[\\#?]/.exec(text)?.[0]
  return forbidden === undefined ? undefined : `has ${forbidden}, which no request path can have`
}

function encodingProblem(text: string, options: PathOptions): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return 'has a % that begins no escape'
  if (/%([01][0-9a-f]|7f|5c)/i.test(text)) return 'has an encoded control character or backslash'
  if (/%(c[01]%[89ab]|e0%[89]|f0%8)/i.test(text)) return 'has an overlong UTF-8 sequence'
  if (/%2f/i.test(text) && !options.allowEncodedSlash) {
    return 'has %2f, which is refused without ostiary.dev/allow-encoded-slash: "true"'
  }
  if (text.includes('//') && !options.allowDoubleSlash) {
    return 'has //, which is refused without ostiary.dev/allow-double-slash: "true"'
  }
  return undefined
}

/** `.`, `..` and `..;` segments, as written, decoded once and decoded twice: upstreams differ in how often they do. */
function hasDotSegment(path: string): boolean {
  const once = decode(path)
  return [path, once, decode(once)].some((form) => /(^|[/\\])\.\.?(;|[/\\]|$)/.test(form))
}

function decode(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
