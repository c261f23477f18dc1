import type { Policy } from '../../table/policy.ts'
import type { VirtualHost } from '../../table/routing-table.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { Refuse } from '../decision.ts'
import type { MaybePromise } from '../maybe-promise.ts'
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
  /** Everything that came, form-urlencoded. */
  readonly response: string
}

type ResponseMode = Policy['authorizationCode']['responseMode']

const NOT_READABLE = 'This is not the answer to a sign-in that began here'

/** Where a callback may be, and what is read of it before anybody knows whether it is one. */
interface Candidate {
  readonly snapshot: AuthSnapshot
  readonly host: VirtualHost
  readonly facts: RequestFacts
  /** On the reserved path everything that is no callback is refused. */
  readonly reserved: boolean
}

/**
 * Recognises a callback. On the reserved path everything else is refused. On a redirect URI that is a routed path
 * everything else belongs to the application (`undefined`): only a state that one of our keys sealed for a policy
 * with that redirect URI makes a callback there, whether or not its flow cookie is still in the browser. It comes
 * by GET, or, for policies with `responseMode: form_post`, by POST from the authorization server's page (OAuth 2.0
 * Form Post Response Mode §2), which the flow cookie proves and no Origin needs to.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.4 the policy and its redirect URI come from the state, so
 * that one authorization server's code is never sent to another (mix-up).
 */
export function matchCallback(
  deps: LoginDependencies,
  snapshot: AuthSnapshot,
  host: VirtualHost,
  facts: RequestFacts,
): MaybePromise<Callback | Refuse | undefined> {
  if (host.loginPolicies.length === 0) return undefined
  const candidate = { snapshot, host, facts, reserved: facts.path === CALLBACK_PATH }
  if (facts.method === 'GET') {
    const possible = candidate.reserved || (facts.query.includes('state=') && isPossible(candidate, 'query'))
    return possible ? readCallback(deps, candidate, facts.query) : undefined
  }
  const refusal = refusing(candidate, 'A sign-in is completed with GET, or with POST where it is set up so')
  if (facts.method !== 'POST' || !isPossible(candidate, 'form_post')) return refusal
  return facts.form().then((form) => (form ? readCallback(deps, candidate, form.toString()) : refusal))
}

/** Whether a policy of the host has its redirect URI here, and takes answers this way. */
function isPossible({ snapshot, host, facts, reserved }: Candidate, mode: ResponseMode): boolean {
  return host.loginPolicies.some((id) => {
    const policy = snapshot.table.policies[id]
    if (policy === undefined || !takes(policy, mode)) return false
    return (
      reserved ||
      (policy.authorizationCode.redirectUri !== undefined && isAt(redirectUriFor(policy, facts), facts))
    )
  })
}

/** GET is taken always: a policy may have been changed to form_post during a login. */
function takes({ authorizationCode }: Policy, mode: ResponseMode): boolean {
  return mode === 'query' || authorizationCode.responseMode === 'form_post'
}

function readCallback(
  deps: LoginDependencies,
  candidate: Candidate,
  response: string,
): Callback | Refuse | undefined {
  const { snapshot, host, facts } = candidate
  const parameters = callbackParameters(new URLSearchParams(response))
  if (parameters === undefined) return refusing(candidate, 'The parameters state and code are missing')
  const state = openState(parameters.state, snapshot, deps)
  if (state === undefined) return refusing(candidate, NOT_READABLE)
  const login = loginOf(snapshot, host, facts, state)
  if (login === undefined || !takes(login.policy, facts.method === 'POST' ? 'form_post' : 'query')) {
    return refusing(candidate, 'The configuration of this site changed during the sign-in')
  }
  if (parameters.ambiguous) return refuseLogin('A parameter came twice, or a code beside an error')
  return { kind: 'callback', login, state, parameters, response }
}

function refusing({ reserved }: Candidate, message: string): Refuse | undefined {
  return reserved ? refuseLogin(message) : undefined
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
