import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Policy } from '../table/policy.ts'
import type { CacheCounts, CacheTally } from './cache-counts.ts'
import type { FoundClient } from './client-credential.ts'
import type { ClientCredentials, Grant } from './client-credentials.ts'
import { STANDARD_HEADERS, type CredentialTrace, type FoundToken } from './credential.ts'
import type { AuthDecision } from './decision.ts'
import { judge, type Credential } from './judge.ts'
import { andThen, type MaybePromise } from './maybe-promise.ts'
import { clientRefused, serverUnavailable, tokenRefused, type Attempt } from './refusal.ts'
import { withScope } from './requirements.ts'
import type { AccessTokens, TokenOutcome } from './resource-server/access-tokens.ts'
import {
  isReusable,
  rejected,
  sizeOfAccepted,
  type AcceptedToken,
  type Judgement,
} from './resource-server/judgement.ts'
import type { UserInfo } from './resource-server/user-info.ts'
import { tokenKey } from './token-key.ts'

const MAXIMUM_ENTRIES = 10_000
const MAXIMUM_CHARACTERS = 32 * 1024 * 1024

interface KnownDecision {
  readonly decision: AuthDecision
  readonly accepted: AcceptedToken
  /** When what else the decision rests on is to be asked for again. */
  readonly untilMs: number
}

/** Where a decision is kept, and as long as what; absent members: nowhere, not known. */
interface Keeping {
  readonly key: string | undefined
  readonly accepted: AcceptedToken | undefined
}

/** What the flows with a token in hand share. */
export interface TokenFlowParts {
  readonly clock: Clock
  readonly tokens: AccessTokens
  readonly clients: ClientCredentials
  readonly userInfo: UserInfo
  readonly caches: CacheCounts
}

/**
 * Decides on requests that carry a token, or a client's id and secret. What was decided for a token on a route is
 * kept while the token is good, so that a token seen before costs one look-up; a new snapshot's routes start anew.
 */
export class TokenFlow {
  readonly #parts: TokenFlowParts
  readonly #tally: CacheTally
  readonly #decisions = new LRUCache<string, KnownDecision>({
    max: MAXIMUM_ENTRIES,
    maxSize: MAXIMUM_CHARACTERS,
    sizeCalculation: sizeOfKnown,
  })

  constructor(parts: TokenFlowParts) {
    this.#parts = parts
    this.#tally = parts.caches.tally('decisions', () => this.#decisions.size)
  }

  /** For a token that the caller sent: bearer and introspection. */
  withToken(attempt: Attempt, found: FoundToken): MaybePromise<AuthDecision> {
    const { plan } = attempt
    // Elsewhere than in Authorization the edits of the request differ; too rare to keep.
    const key = isInAuthorization(found.trace) ? tokenKey(String(plan.id), found.token) : undefined
    const known = key === undefined ? undefined : this.#known(key, found.token)
    if (known !== undefined) return known
    const [first, ...others] = plan.tokens.filter((policy) => looksIn(policy, found))
    if (first === undefined) return tokenRefused(attempt, plan.first, rejected('invalid_token'))
    return andThen(this.#parts.tokens.judge(attempt.snapshot, [first, ...others], found.token), (outcome) =>
      this.#afterToken(attempt, found, outcome, key),
    )
  }

  /** For a client's id and secret: a token is fetched, then judged as one that was sent. */
  withClient(attempt: Attempt, policy: Policy, found: FoundClient | 'malformed'): MaybePromise<AuthDecision> {
    if (found === 'malformed') return clientRefused(attempt, policy, rejected('invalid_client', 'malformed'))
    return andThen(this.#parts.clients.obtain(policy, found), (grant) => {
      if (grant.ok) return this.#withGrant(attempt, policy, found, grant)
      return grant.kind === 'unavailable' ? serverUnavailable(grant) : clientRefused(attempt, policy, grant)
    })
  }

  #afterToken(
    attempt: Attempt,
    found: FoundToken,
    { policy, judgement }: TokenOutcome,
    key: string | undefined,
  ): MaybePromise<AuthDecision> {
    if (!judgement.ok) {
      if (judgement.kind === 'unavailable') return serverUnavailable(judgement)
      return tokenRefused(attempt, policy, judgement)
    }
    const { accepted } = judgement
    const { method, token: accessToken, claims, introspection } = accepted
    const credential: Credential = {
      method,
      accessToken,
      sources: [claims],
      ...(introspection !== undefined && { introspection }),
      trace: found.trace,
    }
    return this.#decide(attempt, policy, credential, { key, accepted })
  }

  #decide(
    attempt: Attempt,
    policy: Policy,
    credential: Credential,
    { key, accepted }: Keeping,
  ): MaybePromise<AuthDecision> {
    // One that may not be remembered says nothing of how long its token lives.
    const goodUntilMs = accepted?.reusableUntilMs === 0 ? undefined : accepted?.reusableUntilMs
    return andThen(this.#parts.userInfo.complete(policy, credential, goodUntilMs), (completed) => {
      if (!completed.ok) return serverUnavailable(completed)
      const decision = judge(attempt, policy, completed.credential)
      if (key !== undefined && accepted !== undefined) {
        this.#keep(key, { decision, accepted, untilMs: completed.untilMs })
      }
      return decision
    })
  }

  #withGrant(
    attempt: Attempt,
    policy: Policy,
    client: FoundClient,
    grant: Grant,
  ): MaybePromise<AuthDecision> {
    // No token's key has a colon after the plan's number: the two kinds never meet.
    const key = isInAuthorization(client.trace) ? `${attempt.plan.id}:${grant.key}` : undefined
    const known = key === undefined ? undefined : this.#known(key, grant.token)
    if (known !== undefined) return known
    return andThen(this.#parts.tokens.judgeIssued(attempt.snapshot, policy, grant.token), (judgement) => {
      if (judgement !== 'unjudgeable' && !judgement.ok) {
        return this.#afterBadGrant(attempt, policy, client, grant, judgement)
      }
      const claims = judgement === 'unjudgeable' ? {} : judgement.accepted.claims
      const credential: Credential = {
        method: 'client_credentials',
        accessToken: grant.token,
        sources: [withScope(claims, grant.scope)],
        clientId: client.id,
        trace: client.trace,
      }
      const accepted = judgement === 'unjudgeable' ? undefined : judgement.accepted
      return this.#decide(attempt, policy, credential, { key, accepted })
    })
  }

  /** A kept token may have been revoked or outlived; the client's secret can still get a new one, once. */
  #afterBadGrant(
    attempt: Attempt,
    policy: Policy,
    client: FoundClient,
    grant: Grant,
    judgement: Exclude<Judgement, { ok: true }>,
  ): MaybePromise<AuthDecision> {
    if (judgement.kind === 'unavailable') return serverUnavailable(judgement)
    if (grant.cached) {
      this.#parts.clients.forget(grant)
      return this.withClient(attempt, policy, client)
    }
    this.#parts.clients.refuse(policy, grant, judgement)
    return clientRefused(attempt, policy, judgement)
  }

  #known(key: string, token: string): AuthDecision | undefined {
    const known = this.#decisions.get(key)
    const nowMs = this.#parts.clock.now()
    if (known?.accepted.token === token && nowMs < known.untilMs && isReusable(known.accepted, nowMs)) {
      this.#tally.hits += 1
      return known.decision
    }
    this.#tally.misses += 1
    // Another token may end alike: it has no say in what is kept of this one.
    if (known?.accepted.token === token) this.#decisions.delete(key)
    return undefined
  }

  /** Refusals depend on more of the request than its token, and are not worth keeping. */
  #keep(key: string, known: KnownDecision): void {
    const nowMs = this.#parts.clock.now()
    if (known.decision.kind !== 'allow' || nowMs >= known.untilMs || !isReusable(known.accepted, nowMs))
      return
    this.#decisions.set(key, known)
  }
}

function sizeOfKnown({ accepted, decision }: KnownDecision): number {
  const headers = decision.kind === 'allow' ? [...decision.setHeaders, ...decision.responseHeaders] : []
  return headers.reduce((size, [, value]) => size + value.length, sizeOfAccepted(accepted))
}

function isInAuthorization({ headers, query, form, cookies }: CredentialTrace): boolean {
  if (query.length + form.length + cookies.length > 0) return false
  return headers.length === 1 && headers[0] === 'authorization'
}

function looksIn(policy: Policy, found: FoundToken): boolean {
  const { places, cookieName, headerName } = policy.bearer
  return places.some((place) => {
    if (place === 'cookie') return cookieName !== undefined && found.trace.cookies.includes(cookieName)
    if (place !== 'header') return found.places.has(place)
    return headerName === undefined
      ? found.trace.headers.some((name) => STANDARD_HEADERS.includes(name))
      : found.trace.headers.includes(headerName)
  })
}
