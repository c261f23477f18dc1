import type { RequestFacts } from './request-facts.ts'

/**
 * Whether this is a CORS preflight (WHATWG Fetch §3.2.2), which browsers send without credentials: OPTIONS with Origin
 * and Access-Control-Request-Method. The method is the request line's; an override header does not count.
 */
export function isPreflight(facts: RequestFacts): boolean {
  return (
    facts.method === 'OPTIONS' &&
    facts.headers['origin'] !== undefined &&
    facts.headers['access-control-request-method'] !== undefined
  )
}
