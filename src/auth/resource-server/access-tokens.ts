import { LRUCache } from 'lru-cache'
import type { Policy } from '../../table/policy.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import { CacheCounts, type CacheTally } from '../cache-counts.ts'
import { andThen, type MaybePromise } from '../maybe-promise.ts'
import { SingleFlight } from '../single-flight.ts'
import { tokenKey } from '../token-key.ts'
import { introspectToken } from './introspection.ts'
import {
  isReusable,
  rejected,
  sizeOfAccepted,
  type AcceptedToken,
  type Judgement,
  type Rejected,
} from './judgement.ts'
import { isTokenText, MAXIMUM_TOKEN_LENGTH, readToken, type TokenShape, type UnverifiedJwt } from './jwt.ts'
import { KeyRings } from './key-ring.ts'
import { namesAudience, namesIssuer } from './registered-claims.ts'
import { areAccessTokenClaims, isIntrospectedHeader } from './token-kind.ts'
import { verifyJwt } from './verify-jwt.ts'

const MAXIMUM_ENTRIES = 10_000
const MAXIMUM_CHARACTERS = 32 * 1024 * 1024

/** A judgement, and the policy that gave it. */
export interface TokenOutcome {
  readonly policy: Policy
  readonly judgement: Judgement
}

interface RefusedToken {
  readonly token: string
  readonly rejection: Rejected
  readonly untilMs: number
}

/**
 * Judges access tokens, and remembers what it accepted: by the policy's revision and the exact bytes, so that neither
 * an edited policy nor an equivalent spelling of a token finds an entry.
 */
export class AccessTokens {
  readonly #deps: AuthDependencies
  readonly #rings: KeyRings
  readonly #flights = new SingleFlight<Judgement>()
  readonly #tallies: Readonly<Record<AcceptedToken['method'], CacheTally>>
  readonly #entries = { bearer: 0, introspection: 0 }
  readonly #accepted = new LRUCache<string, AcceptedToken>({
    max: MAXIMUM_ENTRIES,
    maxSize: MAXIMUM_CHARACTERS,
    sizeCalculation: sizeOfAccepted,
    dispose: ({ method }) => {
      this.#entries[method] -= 1
    },
  })
  readonly #refused = new LRUCache<string, RefusedToken>({
    max: MAXIMUM_ENTRIES,
    maxSize: MAXIMUM_CHARACTERS,
    sizeCalculation: ({ token }) => token.length,
  })

  constructor(deps: AuthDependencies) {
    this.#deps = deps
    this.#rings = new KeyRings(deps.authorizationServers, deps.clock)
    const { caches = new CacheCounts() } = deps
    this.#tallies = {
      bearer: caches.tally('tokens', () => this.#entries.bearer),
      introspection: caches.tally('introspection', () => this.#entries.introspection + this.#refused.size),
    }
  }

  /**
   * Judges a token that a caller sent. A JWT goes to the first policy whose issuer and audience it names, an opaque
   * token to the first that introspects.
   *
   * @param policies Those that look for tokens where this one was found; not empty.
   */
  judge(
    snapshot: AuthSnapshot,
    policies: readonly [Policy, ...Policy[]],
    token: string,
  ): MaybePromise<TokenOutcome> {
    const [first] = policies
    if (token.length > MAXIMUM_TOKEN_LENGTH) return { policy: first, judgement: rejected('too_large') }
    if (!isTokenText(token)) return { policy: first, judgement: rejected('invalid_token', 'malformed') }
    const known = policies.length === 1 ? this.#known(first, token) : undefined
    if (known !== undefined && isForCallers(first, known)) return { policy: first, judgement: known }
    const shape = readToken(token)
    const policy = choosePolicy(policies, shape)
    if ('ok' in policy) return { policy: first, judgement: policy }
    // Of several policies only now is it known whose judgement to look for.
    const chosen = policies.length === 1 ? undefined : this.#known(policy, token)
    if (chosen !== undefined) return { policy, judgement: chosen }
    return andThen(this.#judge(snapshot, policy, token, shape), (judgement) => ({ policy, judgement }))
  }

  /**
   * Judges a token that the authorization server has just issued, or issued lately: like one that a caller sent,
   * whatever the policy's methods, but for opaque tokens without introspection, which nobody can judge.
   */
  judgeIssued(
    snapshot: AuthSnapshot,
    policy: Policy,
    token: string,
  ): MaybePromise<Judgement | 'unjudgeable'> {
    if (token.length > MAXIMUM_TOKEN_LENGTH) return rejected('too_large')
    if (!isTokenText(token)) return rejected('invalid_token', 'malformed')
    const known = this.#known(policy, token)
    if (known !== undefined) return known
    const shape = readToken(token)
    if (shape.kind === 'opaque' && !policy.methods.includes('introspection')) return 'unjudgeable'
    return this.#judge(snapshot, policy, token, shape)
  }

  /** A token that nothing is known of. */
  #judge(snapshot: AuthSnapshot, policy: Policy, token: string, shape: TokenShape): MaybePromise<Judgement> {
    if (shape.kind === 'malformed') return rejected('invalid_token', 'malformed')
    if (shape.kind === 'jwt' && !policy.introspection.introspectJwtTokens) {
      return this.#verify(policy, shape.jwt)
    }
    if (!policy.methods.includes('introspection')) return rejected('invalid_token')
    if (shape.kind === 'jwt') {
      const problem = introspectionProblem(policy, shape.jwt)
      if (problem !== undefined) return problem
    }
    return this.#introspect(snapshot, policy, token)
  }

  #verify(policy: Policy, jwt: UnverifiedJwt): MaybePromise<Judgement> {
    this.#tallies.bearer.misses += 1
    const { clock } = this.#deps
    return andThen(verifyJwt(policy, jwt, this.#rings.get(policy.server), clock), (judgement) => {
      if (judgement.ok) this.#keep(policy, judgement.accepted)
      return judgement
    })
  }

  #introspect(snapshot: AuthSnapshot, policy: Policy, token: string): Promise<Judgement> {
    this.#tallies.introspection.misses += 1
    return this.#flights.run(`${scopeOf(policy)} ${token}`, async () => {
      const judgement = await introspectToken(this.#deps, snapshot, policy, token)
      this.#remember(policy, token, judgement)
      return judgement
    })
  }

  #remember(policy: Policy, token: string, judgement: Judgement): void {
    if (!policy.introspection.cache) return
    const nowMs = this.#deps.clock.now()
    if (judgement.ok) {
      if (judgement.accepted.reusableUntilMs > nowMs) this.#keep(policy, judgement.accepted)
    } else if (judgement.kind === 'rejected' && policy.cache.negativeTtlSeconds > 0) {
      this.#refused.set(tokenKey(scopeOf(policy), token), {
        token,
        rejection: judgement,
        untilMs: nowMs + policy.cache.negativeTtlSeconds * 1000,
      })
    }
  }

  #keep(policy: Policy, accepted: AcceptedToken): void {
    const key = tokenKey(scopeOf(policy), accepted.token)
    this.#accepted.set(key, accepted)
    // One that is too large is not kept, and was not counted down either.
    if (this.#accepted.peek(key) === accepted) this.#entries[accepted.method] += 1
  }

  #known(policy: Policy, token: string): Judgement | undefined {
    const key = tokenKey(scopeOf(policy), token)
    const nowMs = this.#deps.clock.now()
    const accepted = this.#accepted.get(key)
    if (accepted?.token === token) {
      if (isReusable(accepted, nowMs)) {
        this.#tallies[accepted.method].hits += 1
        return { ok: true, accepted }
      }
      this.#accepted.delete(key)
    }
    const refused = this.#refused.get(key)
    if (refused?.token !== token || nowMs >= refused.untilMs) return undefined
    this.#tallies.introspection.hits += 1
    return refused.rejection
  }
}

function scopeOf({ id, revision }: Policy): string {
  return `${id} ${revision}`
}

/** A session or a client may have had its own JWT verified where callers must not bring any. */
function isForCallers({ methods }: Policy, known: Judgement): boolean {
  return !known.ok || known.accepted.method !== 'bearer' || methods.includes('bearer')
}

/** Why nobody need be asked about a JWT. One that names another issuer would be told to a server that it is not for. */
function introspectionProblem(policy: Policy, { header, claims }: UnverifiedJwt): Rejected | undefined {
  if (!isIntrospectedHeader(header) || !areAccessTokenClaims(claims)) {
    return rejected('invalid_token', 'not a bearer access token')
  }
  const isForeign = Object.hasOwn(claims, 'iss') && !namesIssuer(policy, claims)
  return isForeign && !skipsClaims(policy) ? rejected('wrong_issuer') : undefined
}

function choosePolicy(policies: readonly [Policy, ...Policy[]], shape: TokenShape): Policy | Rejected {
  if (shape.kind === 'malformed') return rejected('invalid_token', 'malformed')
  const able = policies.filter((policy) => canJudge(policy, shape.kind))
  const [only, ...others] = able
  if (only === undefined) return rejected('invalid_token', 'no method here takes tokens of this kind')
  // The only one gives the exact reason itself.
  if (shape.kind === 'opaque' || others.length === 0) return only
  const { claims } = shape.jwt
  const ofIssuer = able.filter((policy) => skipsClaims(policy) || namesIssuer(policy, claims))
  if (ofIssuer.length === 0) return rejected('wrong_issuer')
  const fitting = ofIssuer.find((policy) => skipsClaims(policy) || namesAudience(policy, claims))
  return fitting ?? rejected('wrong_audience')
}

function canJudge(policy: Policy, kind: 'jwt' | 'opaque'): boolean {
  if (kind === 'opaque' || policy.introspection.introspectJwtTokens) {
    return policy.methods.includes('introspection')
  }
  return policy.methods.includes('bearer')
}

function skipsClaims(policy: Policy): boolean {
  return policy.verification.insecureSkipClaimsCheck
}
