import { LRUCache } from 'lru-cache'
import { nowSeconds } from '../../clock.ts'
import type { Policy } from '../../table/policy.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { AuthDecision, Respond } from '../decision.ts'
import { firstOfRealms } from '../named-policies.ts'
import { NO_STORE } from '../relying-party/login-decision.ts'
import type { LoginDependencies } from '../relying-party/login-context.ts'
import type { RequestFacts } from '../request-facts.ts'
import { KeyRings } from '../resource-server/key-ring.ts'
import { judgeLogoutToken, MAXIMUM_AGE_SECONDS, type Issuers, type LogoutToken } from './logout-token.ts'

const MAXIMUM_USED = 10_000

/**
 * `/oauth2/backchannel_logout`: the authorization server posts a logout token, and all sessions of its `sid` or `sub`
 * end (OpenID Connect Back-Channel Logout §2.5 to §2.8). 200 once they are gone from the store, else 400 with an
 * error; 501 where no policy of the host keeps its sessions where they can be ended.
 */
export class BackchannelLogout {
  readonly #deps: LoginDependencies
  readonly #issuers: Issuers
  /** `jti` by issuer, with the time in seconds from which the token is too old anyway. */
  readonly #used = new LRUCache<string, number>({ max: MAXIMUM_USED })

  constructor(deps: LoginDependencies) {
    this.#deps = deps
    const client = deps.authorizationServers
    this.#issuers = { rings: new KeyRings(client, deps.clock), client }
  }

  /** @param policies The host's login policies. */
  async accept(
    snapshot: AuthSnapshot,
    policies: readonly Policy[],
    facts: RequestFacts,
  ): Promise<AuthDecision> {
    if (facts.method !== 'POST') return refusal(405, 'invalid_request', 'POST it is')
    const takers = policies.filter(({ logout }) => logout.backchannel)
    if (takers.length === 0) {
      return refusal(501, 'unsupported', 'sessions are not kept where they could be ended: it needs Redis')
    }
    const tokens = (await facts.form())?.getAll('logout_token') ?? []
    const [token] = tokens
    if (token === undefined || tokens.length > 1) {
      return refusal(400, 'invalid_request', 'the form has no logout_token, or several')
    }
    const judged = await judgeLogoutToken(token, takers, this.#issuers, nowSeconds(this.#deps.clock))
    return judged.ok ? this.#end(snapshot, judged) : refusal(400, 'invalid_request', judged.why)
  }

  /** Remembered before anything is waited for; forgotten where nothing came of it, so that it can be sent again. */
  async #end(snapshot: AuthSnapshot, { policies, jti, subject }: LogoutToken): Promise<AuthDecision> {
    const key = JSON.stringify([policies[0]?.server.issuer, jti])
    const now = nowSeconds(this.#deps.clock)
    if ((this.#used.get(key) ?? 0) > now) return refusal(400, 'invalid_request', 'jti was used before')
    this.#used.set(key, now + 2 * MAXIMUM_AGE_SECONDS)
    const results = await Promise.all(
      firstOfRealms(policies).map((policy) =>
        this.#deps.sessions.destroyBy(snapshot, policy, { issuer: policy.server.issuer, ...subject }),
      ),
    )
    if (results.every(({ ok }) => ok)) return DONE
    this.#used.delete(key)
    return refusal(400, 'temporarily_unavailable', 'the session store gives no answer; send it again')
  }
}

const DONE: Respond = {
  kind: 'respond',
  status: 200,
  reason: 'logout',
  body: { kind: 'none' },
  responseHeaders: [NO_STORE],
}

function refusal(status: Respond['status'], error: string, description: string): Respond {
  return {
    kind: 'respond',
    status,
    reason: 'logout',
    body: { kind: 'json', value: { error, error_description: description } },
    responseHeaders: status === 405 ? [NO_STORE, ['allow', 'POST']] : [NO_STORE],
  }
}
