import type { Provider } from 'oidc-provider'
import type { Faults } from './faults.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import type { MemoryStorage } from './memory-storage.ts'
import type { Registry, ScopeRegistration } from './registration.ts'
import type { SigningKeys } from './signing-keys.ts'

/** Where an Okta custom authorization server named `default` lives below its domain. */
export const BASE_PATH = '/oauth2/default'

/** What the endpoints share. */
export interface ServerState {
  readonly issuer: string
  /** `aud` of every access token. */
  readonly audience: string
  readonly customScopes: readonly ScopeRegistration[]
  /** Name of the claim that holds a user's groups, in access and ID tokens; undefined: none is configured. */
  readonly groupsClaim: string | undefined
  readonly authorizationResponseIss: boolean
  readonly sessionIds: boolean
  readonly registry: Registry
  readonly keys: SigningKeys
  readonly storage: MemoryStorage
  readonly tokens: IssuedTokens
  readonly faults: Faults
}

/** The state and the library that runs the authorization-code, refresh and client-credentials flows on it. */
export interface RunningState extends ServerState {
  readonly provider: Provider
}
