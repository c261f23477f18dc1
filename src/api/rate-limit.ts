import type { AnnotationReader } from './annotation-reader.ts'

export const RATE_LIMIT_ANNOTATIONS = ['rate-limit'] as const

/** So many requests in each window. */
export interface RateLimitText {
  readonly requests: number
  readonly windowSeconds: number
}

/** A limit of an Ingress, and whom it counts by. */
export interface RateLimitAnnotation extends RateLimitText {
  readonly per: 'route' | 'address' | 'consumer' | 'credential'
}

/** `100/1m`: a count and a window of at most a day. The CRD has it too, so it is RE2. */
export const RATE_LIMIT_PATTERN =
  '^[1-9][0-9]{0,8}/([1-9][0-9]{0,3}s|[1-9][0-9]{0,2}m|([1-9]|1[0-9]|2[0-4])h)$'

const RATE_LIMIT = new RegExp(RATE_LIMIT_PATTERN)
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }
const ITEM = /^(\S+)(?:\s+per\s+(route|address|consumer|credential))?$/
const MAXIMUM_LIMITS = 8

/** Reads `100/1m`; `undefined`: it is none. */
export function parseRateLimit(text: string): RateLimitText | undefined {
  if (!RATE_LIMIT.test(text)) return undefined
  const [requests = '', window = ''] = text.split('/')
  const windowSeconds = Number(window.slice(0, -1)) * (SECONDS[window.slice(-1)] ?? Number.NaN)
  return { requests: Number(requests), windowSeconds }
}

/** @returns `undefined` where there is none, or it cannot be taken. */
export function readRateLimits(reader: AnnotationReader): readonly RateLimitAnnotation[] | undefined {
  const items = reader.list('rate-limit')
  if (items === undefined) return undefined
  const limits = items.map(parseItem)
  const known = limits.filter((limit) => limit !== undefined)
  const names = new Set(known.map(({ per, windowSeconds }) => `${per} ${windowSeconds}`))
  if (known.length < limits.length || limits.length > MAXIMUM_LIMITS) {
    return reader.invalid(
      'rate-limit',
      `must list up to ${MAXIMUM_LIMITS} limits as "20/1s per address, 1000/1h per consumer"; per route, address, consumer or credential, with windows from 1s to 24h`,
    )
  }
  if (names.size < known.length) return reader.invalid('rate-limit', 'has two limits of one kind and window')
  return known
}

function parseItem(item: string): RateLimitAnnotation | undefined {
  const [, rate = '', per = 'address'] = ITEM.exec(item) ?? []
  const limit = parseRateLimit(rate)
  return limit && { ...limit, per: per as RateLimitAnnotation['per'] }
}
