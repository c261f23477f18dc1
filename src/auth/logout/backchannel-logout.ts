import { nowSeconds } from '../../clock.ts'
import type { Policy } from '../../table/policy.ts'
import { audit, type Happening } from '../audit.ts'
import type { AuthSnapshot } from '../authorize.ts'
import type { AuthDecision, Respond } from '../decision.ts'
import { firstOfRealms } from '../named-policies.ts'
import { NO_STORE } from '../relying-party/login-decision.ts'
import type { LoginDependencies } from '../relying-party/login-context.ts'
import type { RequestFacts } from '../request-facts.ts'
import { KeyRings } from '../resource-server/key-ring.ts'
import { judgeLogoutToken, MAXIMUM_AGE_SECONDS, type Issuers, type LogoutToken } from './logout-token.ts'

/** For how long a `jti` is remembered: its token is too old by then, whatever the leeway. */
const USED_SECONDS = 2 * MAXIMUM_AGE_SECONDS

/**
 * `/oauth2/backchannel_logout`: the authorization server posts a logout token, and all sessions of its `sid` or `sub`
 * end (OpenID Connect Back-Channel Logout §2.5 to §2.8). 200 once they are gone from the store, else 400 with an
 * error; 501 where no policy of the host keeps its sessions where they can be ended.
 */
export class BackchannelLogout {
  readonly #deps: LoginDependencies
  readonly #issuers: Issuers

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
    const decision = judged.ok
      ? await this.#end(snapshot, judged)
      : refusal(400, 'invalid_request', judged.why)
    audit(this.#deps.audit, facts, {
      event: 'logout',
      channel: 'back',
      outcome: decision === DONE ? 'ok' : 'refused',
      ...(judged.ok ? whoseOf(judged) : { detail: judged.why }),
    })
    return decision
  }

  /** Claimed before all replicas; released where nothing came of it, so that the token can be sent again. */
  async #end(snapshot: AuthSnapshot, token: LogoutToken): Promise<AuthDecision> {
    const { sessions } = this.#deps
    const claims = await Promise.all(
      firstOfStores(token.policies).map((policy) => sessions.claim(snapshot, policy, token.jti)),
    )
    const claimed = claims.filter((claim) => claim.kind === 'first')
    if (claimed.length === claims.length && (await this.#destroy(snapshot, token))) {
      // The sessions are gone, whether or not Redis still answers.
      await Promise.all(claimed.map((claim) => claim.keep(USED_SECONDS)))
      return DONE
    }
    await Promise.all(claimed.map((claim) => claim.release()))
    return claims.some(({ kind }) => kind === 'used')
      ? refusal(400, 'invalid_request', 'jti was used before')
      : refusal(400, 'temporarily_unavailable', 'the session store gives no answer; send it again')
  }

  async #destroy(snapshot: AuthSnapshot, { policies, subject }: LogoutToken): Promise<boolean> {
    const results = await Promise.all(
      firstOfRealms(policies).map((policy) =>
        this.#deps.sessions.destroyBy(snapshot, policy, { issuer: policy.server.issuer, ...subject }),
      ),
    )
    return results.every(({ ok }) => ok)
  }
}

function whoseOf({ policies, subject }: LogoutToken): Partial<Happening> {
  const plugin = policies.map(({ id }) => id).join(' ')
  return 'sid' in subject ? { plugin, serverSession: subject.sid } : { plugin, subject: subject.sub }
}

/** One policy of each client and store: claims of the others would be the same ones. */
function firstOfStores(policies: readonly Policy[]): readonly Policy[] {
  const place = ({ server, client, session }: Policy): string =>
    JSON.stringify([session.redis?.id, server.issuer, client?.id])
  return policies.filter(
    (policy, index) => policies.findIndex((other) => place(other) === place(policy)) === index,
  )
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
