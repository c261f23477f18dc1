import type { AnnotationReader } from './annotation-reader.ts'

export const CORS_ANNOTATIONS = [
  'cors-allow-origin',
  'cors-allow-methods',
  'cors-allow-headers',
  'cors-expose-headers',
  'cors-allow-credentials',
  'cors-max-age',
] as const

/** Which other origins' scripts may call the routes of an Ingress. */
export interface CorsAnnotations {
  /** As browsers serialize them, `https://*.example.com`, or `*` alone. */
  readonly allowOrigins: readonly string[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly allowCredentials: boolean
  readonly maxAgeSeconds: number
}

const DEFAULT_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const DEFAULT_HEADERS = ['Authorization', 'Content-Type', 'If-Match', 'If-None-Match', 'X-Requested-With']
const DEFAULT_MAX_AGE_SECONDS = 600
const DAY_MS = 86_400_000
const MAXIMUM_ITEMS = 64

const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,128}$/
// Two labels at least behind the star: `https://*.com` is everybody.
const ORIGIN =
  /^(?<scheme>[a-z][a-z0-9+.-]{0,31}):\/\/(?<host>(?:\*\.(?=[^:]*\.))?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(?<port>[1-9]\d{0,4}))?$/
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/** @returns `undefined` where no origin is allowed, or what is set cannot be taken. */
export function readCors(reader: AnnotationReader): CorsAnnotations | undefined {
  const allowOrigins = readOrigins(reader)
  const credentials = reader.boolean('cors-allow-credentials')
  const methods = readTokens(reader, 'cors-allow-methods')
  const headers = readTokens(reader, 'cors-allow-headers')
  const expose = readTokens(reader, 'cors-expose-headers')
  const maxAgeMs = reader.durationMs('cors-max-age', 0, DAY_MS)
  if (reader.text('cors-allow-origin') === undefined) {
    const lonely = CORS_ANNOTATIONS.find((name) => reader.text(name) !== undefined)
    return lonely && reader.invalid(lonely, 'needs ostiary.dev/cors-allow-origin beside it')
  }
  if (allowOrigins === undefined) return undefined
  if (credentials === true) {
    // Browsers take no star for requests with credentials, and what they would take instead is every origin.
    if (allowOrigins.includes('*')) {
      return reader.invalid('cors-allow-credentials', 'needs origins that are named, not "*"')
    }
    if ([methods, headers, expose].some((list) => list?.includes('*'))) {
      return reader.invalid('cors-allow-credentials', 'needs methods and headers that are named, not "*"')
    }
  }
  return {
    allowOrigins,
    allowMethods: methods ?? DEFAULT_METHODS,
    allowHeaders: headers ?? DEFAULT_HEADERS,
    exposeHeaders: expose ?? [],
    allowCredentials: credentials ?? false,
    maxAgeSeconds: maxAgeMs === undefined ? DEFAULT_MAX_AGE_SECONDS : Math.floor(maxAgeMs / 1000),
  }
}

function readOrigins(reader: AnnotationReader): readonly string[] | undefined {
  const written = reader.list('cors-allow-origin')
  if (written === undefined) return undefined
  if (written.includes('*')) {
    return written.length === 1
      ? ['*']
      : reader.invalid('cors-allow-origin', 'has "*" beside other origins; name "*" alone, or leave it out')
  }
  const origins = written.map((origin) => normalOrigin(origin.toLowerCase()))
  const known = origins.filter((origin) => origin !== undefined)
  if (written.length > MAXIMUM_ITEMS) {
    return reader.invalid('cors-allow-origin', `must list at most ${MAXIMUM_ITEMS} origins`)
  }
  if (known.length === origins.length) return [...new Set(known)].sort()
  return reader.invalid(
    'cors-allow-origin',
    'must list origins as https://app.example.com, https://*.example.com or http://localhost:3000, without path ("null" is anybody), or be "*"',
  )
}

/** As browsers serialize it: without the scheme's own port. */
function normalOrigin(origin: string): string | undefined {
  const { scheme = '', host = '', port } = ORIGIN.exec(origin)?.groups ?? {}
  if (host === '' || host.includes('..') || Number(port ?? 1) > 65_535) return undefined
  return port === undefined || port === DEFAULT_PORTS[scheme]
    ? `${scheme}://${host}`
    : `${scheme}://${host}:${port}`
}

function readTokens(reader: AnnotationReader, name: string): readonly string[] | undefined {
  const items = reader.list(name)
  if (items === undefined) return undefined
  if (items.length <= MAXIMUM_ITEMS && items.every((item) => TOKEN.test(item))) return [...new Set(items)]
  return reader.invalid(name, `must list up to ${MAXIMUM_ITEMS} names, parted by commas`)
}
