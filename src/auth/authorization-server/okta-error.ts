import { isObject } from './json-object.ts'
import type { Refused } from './authorization-server-client.ts'

const ERROR_CODE = /^[A-Za-z0-9_.-]{1,64}$/
const NOT_PRINTABLE = /[^\x20-\x7e]+/g

/**
 * Reads an error body: `error` and `error_description` (RFC 6749 §5.2), or Okta's `errorCode` and `errorSummary`.
 * `undefined` where the body is neither.
 *
 * @param secrets What was sent; a server that echoes one of them back gets its text dropped.
 */
export function readErrorBody(body: unknown, secrets: readonly string[]): Refused | undefined {
  if (!isObject(body)) return undefined
  const error = body['error'] ?? body['errorCode']
  if (typeof error !== 'string' || error === '') return undefined
  return refusal(error, body['error_description'] ?? body['errorSummary'], secrets)
}

/** Builds a refusal from words of another party: bounded, printable, without anything that was sent in secret. */
export function refusal(error: string, description: unknown, secrets: readonly string[]): Refused {
  const holdsSecret = (text: string) => secrets.some((secret) => secret !== '' && text.includes(secret))
  const code = ERROR_CODE.test(error) && !holdsSecret(error) ? error : 'unknown_error'
  if (typeof description !== 'string' || description === '' || holdsSecret(description)) {
    return { ok: false, kind: 'refused', error: code }
  }
  const text = description.replaceAll(NOT_PRINTABLE, ' ').slice(0, 200)
  return { ok: false, kind: 'refused', error: code, description: text }
}
