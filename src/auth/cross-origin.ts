import { header, type RequestFacts } from './request-facts.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request that a cookie authenticated may have been made by another site's page: a method that changes
 * things, or an upgrade, without proof of its origin. Proof is `Sec-Fetch-Site: same-origin` (W3C Fetch Metadata), an
 * Origin equal to the request's own scheme and authority, or one that the policy allows. Reading is free: the
 * same-origin policy keeps the answer from other sites.
 */
export function isCrossOriginRisk(facts: RequestFacts, allowedOrigins: readonly string[]): boolean {
  if (SAFE_METHODS.has(facts.method) && facts.headers['upgrade'] === undefined) return false
  if (header(facts, 'sec-fetch-site') === 'same-origin') return false
  const sent = originOf(header(facts, 'origin'))
  if (sent === undefined) return true
  if (sent === originOf(`${facts.scheme}://${facts.authority}`)) return false
  return !allowedOrigins.some((allowed) => originOf(allowed) === sent)
}

/** Scheme, host and port with default ports left out; `undefined` for `null` and what is no origin. */
function originOf(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text)
  return url === null || url.origin === 'null' ? undefined : url.origin
}
