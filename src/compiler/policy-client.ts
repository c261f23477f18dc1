import { AUTH_METHODS, type OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { AuthMethod, Client, ClientAuthMethod } from '../table/policy.ts'
import type { PolicySecrets } from './policy-secret.ts'

const DEFAULT_WITHOUT_CLIENT: readonly AuthMethod[] = ['bearer', 'client_credentials']

/**
 * The methods in the order in which credentials are looked for: those listed, else those of the five that the fields
 * allow. No check.
 */
export function methodsOf(spec: OIDCPluginSpec): AuthMethod[] {
  const chosen = spec.authMethods ?? (spec.clientId === undefined ? DEFAULT_WITHOUT_CLIENT : AUTH_METHODS)
  return AUTH_METHODS.filter((method) => chosen.includes(method))
}

/**
 * Compiles Ostiary's own client; `undefined` without `clientId`. Without a method it authenticates with
 * `private_key_jwt` where it has a key, `client_secret_basic` where it has a secret, else not at all.
 */
export function compileClient(spec: OIDCPluginSpec, secrets: PolicySecrets): Client | undefined {
  if (spec.clientId === undefined) return undefined
  const { clientSecret, clientKey } = secrets
  const fallback = spec.clientAuth ?? defaultMethod(spec)
  return {
    id: spec.clientId,
    ...(clientSecret !== undefined && { secret: clientSecret.id }),
    ...(clientKey !== undefined && { key: clientKey.id }),
    ...(spec.clientAssertionAudience !== undefined && { assertionAudience: spec.clientAssertionAudience }),
    tokenEndpointAuthMethod: spec.tokenEndpointAuthMethod ?? fallback,
    introspectionEndpointAuthMethod: spec.introspectionEndpointAuthMethod ?? fallback,
  }
}

function defaultMethod({ clientKeySecretRef, clientSecretRef }: OIDCPluginSpec): ClientAuthMethod {
  if (clientKeySecretRef !== undefined) return 'private_key_jwt'
  return clientSecretRef === undefined ? 'none' : 'client_secret_basic'
}
