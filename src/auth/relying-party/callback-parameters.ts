/** An authorization response's parameters (RFC 6749 §4.1.2, RFC 9207 §2). */
export interface CallbackParameters {
  readonly state: string
  readonly code?: string
  readonly error?: string
  readonly iss?: string
  /** A parameter came twice, or both `code` and `error` came: two parties could read it differently. */
  readonly ambiguous: boolean
}

const NAMES = ['state', 'code', 'error', 'iss'] as const

/** Reads a query or form that may be an authorization response: it has `state`, and `code` or `error`. */
export function callbackParameters(parameters: URLSearchParams): CallbackParameters | undefined {
  const [state, code, error, iss] = NAMES.map((name) => parameters.get(name) ?? undefined)
  if (!state || (!code && !error)) return undefined
  const repeated = NAMES.some((name) => parameters.getAll(name).length > 1)
  return {
    state,
    ...(code && { code }),
    ...(error && { error }),
    ...(iss !== undefined && { iss }),
    ambiguous: repeated || (code !== undefined && error !== undefined),
  }
}

/** Error codes of RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6, as a sentence; any other is not repeated. */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ['access_denied', 'The authorization server denied access (access_denied)'],
  ['login_required', 'The authorization server wants a new sign-in (login_required)'],
  ['interaction_required', 'The authorization server needs an interaction (interaction_required)'],
  ['consent_required', 'The authorization server needs your consent (consent_required)'],
  ['account_selection_required', 'The authorization server needs an account (account_selection_required)'],
  ['invalid_request', 'The authorization server found the request invalid (invalid_request)'],
  ['invalid_scope', 'The authorization server does not grant the scopes of this site (invalid_scope)'],
  ['invalid_target', 'The authorization server does not know the audience of this site (invalid_target)'],
  [
    'unauthorized_client',
    'The authorization server does not let this site sign people in (unauthorized_client)',
  ],
  ['server_error', 'The authorization server failed (server_error)'],
  ['temporarily_unavailable', 'The authorization server is overloaded (temporarily_unavailable)'],
  ['unsupported_response_type', 'The authorization server has no code flow (unsupported_response_type)'],
])

/** What a refused authorization request means, without anything that the URL said about it. */
export function errorMessage(error: string): string {
  return (
    ERRORS.get(error) ?? 'The authorization server refused the sign-in for a reason that is not known here'
  )
}

/** Whether the authorization server says of itself that it cannot now. */
export function isServerTrouble(error: string): boolean {
  return error === 'temporarily_unavailable' || error === 'server_error'
}
