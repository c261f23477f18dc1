import type { AnnotationReader } from './annotation-reader.ts'
import { CORS_ANNOTATIONS, readCors, type CorsAnnotations } from './cors-annotations.ts'
import { HEADER_ANNOTATIONS, readHeaderEdits, type HeaderEditAnnotations } from './header-annotations.ts'
import { RATE_LIMIT_ANNOTATIONS, readRateLimits, type RateLimitAnnotation } from './rate-limit.ts'
import { readRedirect, REDIRECT_ANNOTATIONS, type RedirectAnnotations } from './redirect-annotations.ts'
import { readRewrite, REWRITE_ANNOTATIONS, type RewriteAnnotations } from './rewrite-annotations.ts'
import {
  readSourceRange,
  SOURCE_RANGE_ANNOTATIONS,
  type SourceRangeAnnotations,
} from './source-range-annotations.ts'

/** The annotations of an Ingress about its requests and responses. */
export const TRAFFIC_ANNOTATIONS = [
  ...REDIRECT_ANNOTATIONS,
  ...SOURCE_RANGE_ANNOTATIONS,
  ...CORS_ANNOTATIONS,
  ...RATE_LIMIT_ANNOTATIONS,
  'max-body-size',
  ...REWRITE_ANNOTATIONS,
  ...HEADER_ANNOTATIONS,
] as const

/** What is done with requests and responses. Absent members: nothing. */
export interface TrafficAnnotations {
  readonly redirect?: RedirectAnnotations
  readonly sourceRange?: SourceRangeAnnotations
  readonly cors?: CorsAnnotations
  readonly rateLimits?: readonly RateLimitAnnotation[]
  /** In bytes. */
  readonly maximumBodyBytes?: number
  readonly rewrite?: RewriteAnnotations
  readonly requestHeaders?: HeaderEditAnnotations
  readonly responseHeaders?: HeaderEditAnnotations
}

const MAXIMUM_BODY_BYTES = 1024 ** 4

/** @returns `undefined` where no such annotation is set. */
export function readTraffic(reader: AnnotationReader): TrafficAnnotations | undefined {
  const redirect = readRedirect(reader)
  const sourceRange = readSourceRange(reader)
  const cors = readCors(reader)
  const rateLimits = readRateLimits(reader)
  const maximumBodyBytes = readMaximumBody(reader)
  const rewrite = readRewrite(reader)
  const requestHeaders = readHeaderEdits(reader, 'request')
  const responseHeaders = readHeaderEdits(reader, 'response')
  const traffic: TrafficAnnotations = {
    ...(redirect && { redirect }),
    ...(sourceRange && { sourceRange }),
    ...(cors && { cors }),
    ...(rateLimits && { rateLimits }),
    ...(maximumBodyBytes !== undefined && { maximumBodyBytes }),
    ...(rewrite && { rewrite }),
    ...(requestHeaders && { requestHeaders }),
    ...(responseHeaders && { responseHeaders }),
  }
  return Object.keys(traffic).length === 0 ? undefined : traffic
}

/** Elsewhere 0 means no limit, and here it would mean no bodies: neither is taken. */
function readMaximumBody(reader: AnnotationReader): number | undefined {
  const bytes = reader.bytes('max-body-size', MAXIMUM_BODY_BYTES)
  if (bytes !== 0) return bytes
  return reader.invalid('max-body-size', 'must not be 0; for no limit, remove the annotation')
}
