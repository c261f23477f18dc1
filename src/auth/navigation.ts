import { header, type RequestFacts } from './request-facts.ts'

const FETCH_METADATA = ['sec-fetch-mode', 'sec-fetch-dest', 'sec-fetch-site', 'sec-fetch-user']

/**
 * Whether a person's browser is going to a page, so that a redirect to a login makes sense: GET with
 * `Sec-Fetch-Mode: navigate` and `Sec-Fetch-Dest: document` (W3C Fetch Metadata), or, where no Sec-Fetch header came
 * (plain http sends none), `Accept` that holds text/html. Scripts and frames get a 401 instead.
 */
export function isNavigation(facts: RequestFacts): boolean {
  if (facts.method !== 'GET') return false
  if (FETCH_METADATA.some((name) => facts.headers[name] !== undefined)) {
    return header(facts, 'sec-fetch-mode') === 'navigate' && header(facts, 'sec-fetch-dest') === 'document'
  }
  return header(facts, 'accept')?.toLowerCase().includes('text/html') === true
}
