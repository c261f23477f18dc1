import type { AuthSnapshot } from '../auth/authorize.ts'
import type { DirectAuthorizationServerClient } from '../auth/authorization-server/create-authorization-server-client.ts'
import type { Clock } from '../clock.ts'
import type { Policy } from '../table/policy.ts'
import type { Advice } from './advice.ts'
import type { Ask } from './ask.ts'
import type { RedirectUriCandidate } from './redirect-uri-candidates.ts'

/** What is examined. */
export interface Subject {
  readonly policy: Policy
  readonly snapshot: AuthSnapshot
  readonly redirectUris: readonly RedirectUriCandidate[]
}

/** What the examination needs of the world. */
export interface DoctorDependencies {
  readonly clock: Clock
  readonly authorizationServers: Pick<
    DirectAuthorizationServerClient,
    'metadata' | 'keys' | 'introspect' | 'authorizationCodeGrant' | 'clientCredentialsGrant'
  >
  readonly ask: Ask
  /** Told of each step before it is taken, in a word or two. */
  readonly tell: (step: string) => void
}

/** A subject whose authorization server has been recognised, with the words that fit it. */
export interface AdvisedSubject extends Subject {
  readonly advice: Advice
}
