import { header, type RequestFacts } from './request-facts.ts'

const FETCH_METADATA = ['sec-fetch-mode', 'sec-fetch-dest', 'sec-fetch-site', 'sec-fetch-user']

/**
 * Whether a person's browser is going to a page, so that a redirect to a login makes sense: GET with
 * `Sec-Fetch-Mode: navigate` and `Sec-Fetch-Dest: document` (W3C Fetch Metadata), or, where no Sec-Fetch header came
 * (plain http sends none), `Accept` that holds text/html and no `X-Requested-With: XMLHttpRequest`. Scripts and frames get a 401 instead.
 */
export function isNavigation(facts: RequestFacts): boolean {
  return facts.method === 'GET' && isPageLoad(facts)
}

/** Whether a person is going to look at the answer: a navigation, or a form that was sent. */
export function isPageLoad(facts: RequestFacts): boolean {
  if (facts.method !== 'GET' && facts.method !== 'POST') return false
  // Whoever asks for another protocol can follow no redirect and show no page.
  if (facts.headers['upgrade'] !== undefined) return false
  if (FETCH_METADATA.some((name) => facts.headers[name] !== undefined)) {
    return header(facts, 'sec-fetch-mode') === 'navigate' && header(facts, 'sec-fetch-dest') === 'document'
  }
  // jQuery asks for text/html too. WebViews send the name of their app in this header.
  if (header(facts, 'x-requested-with')?.toLowerCase() === 'xmlhttprequest') return false
  return header(facts, 'accept')?.toLowerCase().includes('text/html') === true
}

/** The same request as a program sends it: it is never sent elsewhere. */
export function withoutNavigation(facts: RequestFacts): RequestFacts {
  const { method, scheme, host, authority, target, path, query, clientAddress } = facts
  const headers = { ...facts.headers, 'sec-fetch-mode': 'cors' }
  const form = (): Promise<URLSearchParams | undefined> => facts.form()
  return { method, scheme, host, authority, target, path, query, clientAddress, headers, form }
}
