import type { AnnotationReader } from './annotation-reader.ts'

export const REDIRECT_ANNOTATIONS = ['permanent-redirect', 'permanent-redirect-code'] as const

/** Where every request of an Ingress is sent. */
export interface RedirectAnnotations {
  readonly status: 301 | 308
  readonly location: string
  /** The value ended in `$request_uri`. */
  readonly appendsTarget: boolean
}

const REQUEST_URI = '$request_uri'
const LOCATION = /^https?:\/\/[a-z0-9[]([a-z0-9\-._:[\]]*[a-z0-9\]])?(\/[\x21-\x7e]*)?$/i
const ORIGIN_ONLY = /^https?:\/\/[^/?#]+$/i

/** @returns `undefined` where there is none, or it cannot be taken. */
export function readRedirect(reader: AnnotationReader): RedirectAnnotations | undefined {
  const written = reader.text('permanent-redirect')
  const code = reader.choice('permanent-redirect-code', ['301', '308'])
  if (written === undefined) {
    return code === undefined
      ? undefined
      : reader.invalid('permanent-redirect-code', 'needs ostiary.dev/permanent-redirect beside it')
  }
  const appendsTarget = written.endsWith(REQUEST_URI)
  const location = appendsTarget ? written.slice(0, -REQUEST_URI.length) : written
  if (!LOCATION.test(location) || location.includes('$') || !URL.canParse(location)) {
    return reader.invalid(
      'permanent-redirect',
      'must be a URL that begins with http:// or https://, with $request_uri at its end at most',
    )
  }
  // Anywhere else the path would fall into the middle of another, or of a query.
  if (appendsTarget && !ORIGIN_ONLY.test(location)) {
    return reader.invalid(
      'permanent-redirect',
      'has $request_uri, which stands right behind the host only, as in https://www.example.com$request_uri',
    )
  }
  return { status: code === '301' ? 301 : 308, location, appendsTarget }
}
