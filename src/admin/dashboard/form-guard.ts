import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * Lets forms through that a page of ours sent. Another site can make its visitor's browser post a form here (CSRF), but
 * neither says the browser that it comes from here, nor can that site read the token of our pages.
 */
export class FormGuard {
  /** Of this process: a form of before a restart has to be opened again. */
  readonly token = randomBytes(32).toString('base64url')

  /** @returns Why the form is refused; nothing where it is ours. */
  refusal(headers: IncomingHttpHeaders, form: URLSearchParams): string | undefined {
    if (!isSameOrigin(headers)) return 'This form was sent by a page of another site.'
    if (!this.#isToken(form.get('token') ?? '')) {
      return 'This form is too old: Ostiary was started anew. Open the page again.'
    }
    return undefined
  }

  #isToken(given: string): boolean {
    const [one, other] = [Buffer.from(given), Buffer.from(this.token)]
    return one.length === other.length && timingSafeEqual(one, other)
  }
}

/** Browsers without Sec-Fetch-Site (over plain http, some) send Origin with every form. */
function isSameOrigin({ host = '', origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  const sender = origin === undefined ? undefined : URL.parse(origin)?.host
  if (origin !== undefined && sender !== URL.parse(`http://${host}`)?.host && sender !== host.toLowerCase()) {
    return false
  }
  return site === undefined ? origin !== undefined : site === 'same-origin'
}
