import { AUTH_METHODS, type OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { AuthMethod, Client } from '../table/policy.ts'
import type { SecretId } from '../table/secret-table.ts'
import type { PolicyProblems } from './policy-problem.ts'

const DEFAULT_WITHOUT_CLIENT: readonly AuthMethod[] = ['bearer', 'client_credentials']

/**
 * The methods in the order in which credentials are looked for: those listed, else those of the five that the fields
 * allow. No check.
 */
export function methodsOf(spec: OIDCPluginSpec): AuthMethod[] {
  const chosen = spec.authMethods ?? (spec.clientId === undefined ? DEFAULT_WITHOUT_CLIENT : AUTH_METHODS)
  return AUTH_METHODS.filter((method) => chosen.includes(method))
}

/** Reports methods that cannot work. That listed methods have the fields they need is a rule of the schema. */
export function checkMethods(spec: OIDCPluginSpec, problems: PolicyProblems): void {
  if (!spec.introspectJwtTokens || methodsOf(spec).includes('introspection')) return
  problems.add(
    'introspectJwtTokens',
    'is set, but authMethods has no introspection: no JWT could ever be accepted',
    'Add introspection to authMethods (it needs clientId), or remove introspectJwtTokens.',
  )
}

/**
 * Compiles Ostiary's own client; `undefined` without `clientId`. Without a method it authenticates with
 * `client_secret_basic` where it has a secret, else not at all.
 */
export function compileClient(spec: OIDCPluginSpec, secret: SecretId | undefined): Client | undefined {
  if (spec.clientId === undefined) return undefined
  const fallback = spec.clientAuth ?? (spec.clientSecretRef === undefined ? 'none' : 'client_secret_basic')
  return {
    id: spec.clientId,
    ...(secret !== undefined && { secret }),
    tokenEndpointAuthMethod: spec.tokenEndpointAuthMethod ?? fallback,
    introspectionEndpointAuthMethod: spec.introspectionEndpointAuthMethod ?? fallback,
  }
}
