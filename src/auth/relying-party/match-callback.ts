import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { Refuse } from '../decision.ts'
import type { RequestFacts } from '../request-facts.ts'
import { callbackParameters, type CallbackParameters } from './callback-parameters.ts'
import type { LoginContext, LoginDependencies } from './login-context.ts'
import { refuseLogin } from './login-decision.ts'
import { openState, type LoginState } from './login-state.ts'
import { CALLBACK_PATH, isAt, redirectUriFor } from './redirect-uri.ts'

/** A request that answers a login which this configuration began, from whichever browser. */
export interface Callback {
  readonly kind: 'callback'
  readonly login: LoginContext
  readonly state: LoginState
  readonly parameters: CallbackParameters
}

const NOT_READABLE = 'This is not the answer to a sign-in that began here'

/**
 * Recognises a callback. On the reserved path everything else is refused. On a redirect URI that is a routed path
 * everything else belongs to the application (`undefined`): only a state that one of our keys sealed for a policy
 * with that redirect URI makes a callback there, whether or not its flow cookie is still in the browser.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.4 the policy and its redirect URI come from the state, so
 * that one authorization server's code is never sent to another (mix-up).
 */
export function matchCallback(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  host: VirtualHost,
  facts: RequestFacts,
): Callback | Refuse | undefined {
  if (host.loginPolicies.length === 0) return undefined
  const reserved = facts.path === CALLBACK_PATH
  if (!reserved && !(facts.query.includes('state=') && isRoutedRedirectUri(snapshot, host, facts)))
    return undefined
  const refusal = (message: string): Refuse | undefined => (reserved ? refuseLogin(message) : undefined)
  if (facts.method !== 'GET') return refusal('A sign-in is completed with GET only')
  const parameters = callbackParameters(facts.query)
  if (parameters === undefined) return refusal('The parameters state and code are missing')
  const state = openState(parameters.state, snapshot, deps)
  if (state === undefined) return refusal(NOT_READABLE)
  const login = loginOf(snapshot, host, facts, state)
  if (login === undefined) {
    return refusal('The configuration of this site changed during the sign-in')
  }
  if (parameters.ambiguous) return refuseLogin('A parameter came twice, or a code beside an error')
  return { kind: 'callback', login, state, parameters }
}

function isRoutedRedirectUri(snapshot: AuthSnapshot, host: VirtualHost, facts: RequestFacts): boolean {
  return host.loginPolicies.some((id) => {
    const policy = snapshot.table.policies[id]
    return policy?.authorizationCode.redirectUri !== undefined && isAt(redirectUriFor(policy, facts), facts)
  })
}

function loginOf(
  snapshot: AuthSnapshot,
  host: VirtualHost,
  facts: RequestFacts,
  state: LoginState,
): LoginContext | undefined {
  const policy = loginPolicy(snapshot, host, state.policy)
  if (policy === undefined || policy.session.realm !== state.realm) return undefined
  const redirectUri = redirectUriFor(policy, facts)
  if (!isAt(redirectUri, facts)) return undefined
  return { snapshot, policy, facts, redirectUri, origin: state.origin }
}

function loginPolicy(snapshot: AuthSnapshot, host: VirtualHost, id: string): Policy | undefined {
  const policy = host.loginPolicies.includes(id) ? snapshot.table.policies[id] : undefined
  return policy?.methods.includes('authorization_code') ? policy : undefined
}
