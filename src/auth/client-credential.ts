import { NO_TRACE, type CredentialTrace } from './credential.ts'
import type { ClientCredentialsPolicy } from '../table/policy.ts'
import { header, type RequestFacts } from './request-facts.ts'

/** A client's id and secret as the caller sent them, to be replayed at the token endpoint. */
export interface FoundClient {
  readonly id: string
  readonly secret: string
  readonly trace: CredentialTrace
}

const BASIC = /^basic(?: +|$)/i
const MAXIMUM_LENGTH = 4096

/**
 * Looks for client id and secret: `Authorization: Basic`, then query, then form, as far as the policy allows each.
 *
 * @returns `malformed` where there is a credential that cannot be read.
 */
export function findClient(
  policy: ClientCredentialsPolicy,
  facts: RequestFacts,
  form: URLSearchParams | undefined,
): FoundClient | 'malformed' | undefined {
  const found = policy.places.includes('header') ? inHeader(header(facts, 'authorization')) : undefined
  if (found !== undefined) return found
  if (policy.places.includes('query') && facts.query !== '') {
    const inQuery = inParameters(new URLSearchParams(facts.query), { ...NO_TRACE, query: PARAMETERS })
    if (inQuery !== undefined) return inQuery
  }
  if (form === undefined || !policy.places.includes('body')) return undefined
  return inParameters(form, { ...NO_TRACE, form: PARAMETERS })
}

const PARAMETERS = ['client_id', 'client_secret']

function inHeader(authorization: string | undefined): FoundClient | 'malformed' | undefined {
  const scheme = authorization === undefined ? null : BASIC.exec(authorization)
  if (authorization === undefined || scheme === null) return undefined
  const encoded = authorization.slice(scheme[0].length).trimEnd()
  if (encoded.length > MAXIMUM_LENGTH || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'malformed'
  const text = decodeUtf8(Buffer.from(encoded, 'base64'))
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 1) return 'malformed'
  return checked(formDecoded(text.slice(0, colon)), formDecoded(text.slice(colon + 1)), {
    ...NO_TRACE,
    headers: ['authorization'],
  })
}

function inParameters(
  parameters: URLSearchParams,
  trace: CredentialTrace,
): FoundClient | 'malformed' | undefined {
  const ids = parameters.getAll('client_id')
  const secrets = parameters.getAll('client_secret')
  const [id] = ids
  const [secret] = secrets
  if (id === undefined || secret === undefined) return undefined
  return ids.length > 1 || secrets.length > 1 ? 'malformed' : checked(id, secret, trace)
}

/** Control characters are in no id or secret (RFC 6749 appendix A), and could split what they are written into. */
function checked(id: string, secret: string, trace: CredentialTrace): FoundClient | 'malformed' {
  if (id === '' || id.length + secret.length > MAXIMUM_LENGTH) return 'malformed'
  return /\p{Cc}/u.test(id + secret) ? 'malformed' : { id, secret, trace }
}

/**
 * RFC 6749 §2.3.1 has both parts form-urlencoded, but `curl -u` and most clients send them raw. Text whose every
 * percent sign begins an escape counts as encoded; anything else is taken as it is, so that a raw `+` stays one.
 */
function formDecoded(text: string): string {
  if (!text.includes('%') || /%(?![0-9A-Fa-f]{2})/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
