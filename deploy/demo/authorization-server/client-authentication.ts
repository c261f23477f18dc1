import type { IncomingMessage } from 'node:http'
import { oauthError, oktaError, type Reply } from './exchange.ts'
import type { ClientRegistration, Registry } from './registration.ts'

export type ClientAuthentication =
  { readonly ok: true; readonly client: ClientRegistration } | { readonly ok: false; readonly reply: Reply }

interface Credentials {
  readonly clientId: string
  readonly clientSecret?: string
}

/**
 * Authenticates a client by client_secret_basic, client_secret_post or, when it is public, its `client_id` alone
 * (RFC 6749 §2.3.1), and refuses as Okta does. The token, introspection and revocation endpoints share it.
 */
export function authenticateClient(
  registry: Registry,
  request: IncomingMessage,
  form: URLSearchParams,
): ClientAuthentication {
  const credentials = readCredentials(request.headers.authorization, form)
  if ('status' in credentials) return { ok: false, reply: credentials }
  const client = registry.client(credentials.clientId)
  if (!client) {
    return { ok: false, reply: oktaError(401, 'invalid_client', "Invalid value for 'client_id' parameter.") }
  }
  if (!registry.isActiveClient(client.clientId)) return failed('Client authentication failed.')
  if (client.clientSecret !== undefined && credentials.clientSecret === undefined) {
    return failed('Client authentication failed. Either the client or the client credentials are invalid.')
  }
  if (client.clientSecret !== credentials.clientSecret) {
    return failed('The client secret supplied for a confidential client is invalid.')
  }
  return { ok: true, client }
}

function failed(description: string): ClientAuthentication {
  return { ok: false, reply: oauthError(401, 'invalid_client', description) }
}

function readCredentials(authorization: string | undefined, form: URLSearchParams): Credentials | Reply {
  const posted = form.get('client_secret') ?? undefined
  if (authorization !== undefined && posted !== undefined) {
    return oauthError(400, 'invalid_request', 'Cannot supply multiple client credentials.')
  }
  if (authorization !== undefined) return readBasic(authorization, form.get('client_id'))
  const clientId = form.get('client_id')
  if (!clientId) return oauthError(401, 'invalid_client', 'No client credentials found.')
  return { clientId, ...(posted !== undefined && { clientSecret: posted }) }
}

function readBasic(authorization: string, postedClientId: string | null): Credentials | Reply {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  const decoded = encoded && Buffer.from(encoded, 'base64').toString('utf8')
  const parts = decoded && /^([^:]+):(.*)$/s.exec(decoded)
  if (!parts) return oauthError(401, 'invalid_client', 'The Authorization header is not valid.')
  try {
    const clientId = decodeFormValue(parts[1] ?? '')
    if (postedClientId !== null && postedClientId !== clientId) {
      return oauthError(400, 'invalid_request', 'Cannot supply multiple client credentials.')
    }
    return { clientId, clientSecret: decodeFormValue(parts[2] ?? '') }
  } catch {
    return oauthError(401, 'invalid_client', 'The Authorization header is not valid.')
  }
}

/** RFC 6749 §2.3.1: id and secret are form-urlencoded before they go into Basic. */
function decodeFormValue(value: string): string {
  return decodeURIComponent(value.replaceAll('+', ' '))
}
