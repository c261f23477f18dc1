import { scopesWithoutUser } from '../auth/client-credentials.ts'
import type { Policy } from '../table/policy.ts'
import type { DiscoveryDocument } from './check-discovery.ts'
import { failed, ok, skipped, warning, type Finding } from './finding.ts'
import type { AdvisedSubject } from './subject.ts'

/**
 * Whether the scopes that the plugin asks for exist and are allowed, from what came back to the redirect URI and from
 * the discovery document. A grant that was tried says more; see tryGrant.
 *
 * @param loginErrors Errors that came back to a registered redirect URI.
 */
export function checkScopes(
  { policy, advice }: AdvisedSubject,
  document: DiscoveryDocument,
  loginErrors: readonly string[],
): Finding {
  const scopes = askedScopes(policy)
  if (scopes === undefined) return skipped('scopes', 'none is asked for: callers bring their tokens')
  const list = scopes.join(' ')
  if (loginErrors.includes('invalid_scope')) {
    return failed(
      'scopes',
      `a login is refused with invalid_scope: ${list}`,
      advice.scopes(unknown(scopes, document)),
    )
  }
  if (loginErrors.includes('access_denied')) {
    return failed('scopes', `a login is refused with access_denied: ${list}`, advice.accessPolicy)
  }
  if (loginErrors.includes('unauthorized_client') || loginErrors.includes('unsupported_response_type')) {
    return failed('scopes', 'the client may not sign people in', advice.grantType('authorization_code'))
  }
  if (document.scopesSupported === undefined) return skipped('scopes', 'the server does not list its scopes')
  const missing = scopes.filter((scope) => document.scopesSupported?.includes(scope) === false)
  if (missing.length === 0)
    return ok('scopes', scopes.length === 0 ? 'none is asked for' : `the server has ${list}`)
  const found = `the server does not list ${missing.join(' ')}; it may have it all the same`
  return warning('scopes', found, advice.scopes(missing))
}

/** `undefined` where the plugin never asks for a token. */
function askedScopes(policy: Policy): readonly string[] | undefined {
  if (policy.methods.includes('authorization_code')) return policy.scopes
  return policy.methods.includes('client_credentials') ? scopesWithoutUser(policy) : undefined
}

function unknown(scopes: readonly string[], { scopesSupported = [] }: DiscoveryDocument): readonly string[] {
  const missing = scopes.filter((scope) => !scopesSupported.includes(scope))
  return missing.length > 0 ? missing : scopes
}
