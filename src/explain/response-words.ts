import type { RehearsedResponse } from '../proxy/rehearsal.ts'
import type { Outcome } from './explanation.ts'
import { remedyOf } from './remedies.ts'

/** Fields that say why, or where to; others are the same on every answer, or hold cookies. */
const TOLD: Readonly<Record<string, string>> = {
  allow: 'Allow',
  'retry-after': 'Retry-After',
  'www-authenticate': 'WWW-Authenticate',
}

interface Reasoned {
  readonly reason?: string
  readonly message?: string
}

/**
 * An answer as an outcome.
 *
 * @param decided What authorization said, where it was what answered: pages hold no reason for programs.
 */
export function answeredOutcome(
  { status, headers, body }: RehearsedResponse,
  decided: Reasoned = {},
): Extract<Outcome, { kind: 'answered' }> {
  const { reason, message } = { ...reasonOf(headers, body), ...decided }
  const fix = reason === undefined ? undefined : remedyOf(reason)
  return {
    kind: 'answered',
    status,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    headers: headers.flatMap(describeField),
    ...(fix !== undefined && fix !== '' && { fix }),
  }
}

function reasonOf(headers: RehearsedResponse['headers'], body: string): Reasoned {
  const isProblem = headers.some(
    ([name, value]) => name === 'content-type' && value === 'application/problem+json',
  )
  if (!isProblem || body === '') return {}
  const { reason, message } = JSON.parse(body) as Record<string, unknown>
  return {
    ...(typeof reason === 'string' && { reason }),
    ...(typeof message === 'string' && { message }),
  }
}

function describeField([name, value]: readonly [string, string]): string[] {
  if (name === 'location') return [`Location: ${describeLocation(value)}`]
  if (name === 'set-cookie') return [`Set-Cookie: ${value.slice(0, Math.max(0, value.indexOf('=')))}`]
  return Object.hasOwn(TOLD, name) ? [`${TOLD[name]}: ${value}`] : []
}

/** A query may hold state, nonces and what the client sent. */
function describeLocation(location: string): string {
  const url = URL.parse(location, 'http://relative.invalid')
  if (url === null) return 'an address'
  const place = url.hostname === 'relative.invalid' ? url.pathname : `${url.origin}${url.pathname}`
  const names = [...new Set(url.searchParams.keys())]
  return names.length === 0 ? place : `${place} with ${names.join(', ')}`
}
