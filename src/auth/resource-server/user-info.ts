import { LRUCache } from 'lru-cache'
import type { Policy } from '../../table/policy.ts'
import type { AuthDependencies } from '../authorize.ts'
import type { ServerUnavailable } from '../authorization-server/authorization-server-client.ts'
import { CacheCounts, type CacheTally } from '../cache-counts.ts'
import { sizeOfClaims } from '../claims.ts'
import type { Claims } from '../decision.ts'
import type { Credential } from '../judge.ts'
import { andThen, type MaybePromise } from '../maybe-promise.ts'
import { SingleFlight } from '../single-flight.ts'

const MAXIMUM_ENTRIES = 10_000
const MAXIMUM_CHARACTERS = 32 * 1024 * 1024

/** A credential with what the userinfo endpoint says of it, where the policy asks. */
export interface CompletedCredential {
  readonly ok: true
  readonly credential: Credential
  /** Until then it need not be asked again; milliseconds since the epoch. */
  readonly untilMs: number
}

interface UserInfoAnswer {
  readonly ok: true
  /** `undefined` where the server refuses: the token was issued to no person, or not for this. */
  readonly claims: Claims | undefined
  /** Until then it need not be asked again; milliseconds since the epoch, 0 for not at all. */
  readonly untilMs: number
}

/**
 * Asks the userinfo endpoint about access tokens that were accepted, once however many requests wait, and keeps its
 * answers by the policy's revision and the exact bytes of the token.
 */
export class UserInfo {
  readonly #deps: AuthDependencies
  readonly #tally: CacheTally
  readonly #flights = new SingleFlight<UserInfoAnswer | ServerUnavailable>()
  readonly #answers = new LRUCache<string, UserInfoAnswer>({
    max: MAXIMUM_ENTRIES,
    maxSize: MAXIMUM_CHARACTERS,
    sizeCalculation: ({ claims }, key) => key.length + (claims === undefined ? 0 : sizeOfClaims(claims)),
  })

  constructor(deps: AuthDependencies) {
    this.#deps = deps
    const { caches = new CacheCounts() } = deps
    this.#tally = caches.tally('user_info', () => this.#answers.size)
  }

  /**
   * The credential with the claims that the userinfo endpoint adds. Those of another person than the ID token's are
   * left out: the access token may have been swapped (OpenID Connect Core §5.3.2).
   *
   * @param goodUntilMs When the token's own life is over, where that is known.
   */
  complete(
    policy: Policy,
    credential: Credential,
    goodUntilMs: number | undefined,
  ): MaybePromise<CompletedCredential | ServerUnavailable> {
    if (policy.userInfo === undefined) return { ok: true, credential, untilMs: Number.POSITIVE_INFINITY }
    return andThen(this.#ask(policy, credential.accessToken, goodUntilMs), (answer) =>
      answer.ok
        ? { ok: true, credential: withUserInfo(credential, answer.claims), untilMs: answer.untilMs }
        : answer,
    )
  }

  #ask(
    policy: Policy,
    accessToken: string,
    goodUntilMs: number | undefined,
  ): MaybePromise<UserInfoAnswer | ServerUnavailable> {
    const key = `${policy.id} ${policy.revision} ${accessToken}`
    const known = this.#answers.get(key)
    if (known !== undefined && this.#deps.clock.now() < known.untilMs) {
      this.#tally.hits += 1
      return known
    }
    this.#tally.misses += 1
    return this.#flights.run(key, async () => {
      const answer = await this.#deps.authorizationServers.userInfo(policy.server, accessToken)
      if (!answer.ok && answer.kind === 'unavailable') return answer
      const claims = answer.ok ? answer.value : undefined
      const kept: UserInfoAnswer = { ok: true, claims, untilMs: this.#untilMs(policy, claims, goodUntilMs) }
      if (kept.untilMs > 0) this.#answers.set(key, kept)
      return kept
    })
  }

  #untilMs({ cache, userInfo }: Policy, claims: Claims | undefined, goodUntilMs: number | undefined): number {
    if (userInfo?.cache !== true) return 0
    const seconds =
      claims === undefined
        ? cache.negativeTtlSeconds
        : Math.min(cache.ttlSeconds, cache.maximumTtlSeconds ?? cache.ttlSeconds)
    return Math.min(this.#deps.clock.now() + seconds * 1000, goodUntilMs ?? Number.POSITIVE_INFINITY)
  }
}

function withUserInfo(credential: Credential, claims: Claims | undefined): Credential {
  const { idTokenSubject, sources } = credential
  if (claims === undefined || (idTokenSubject !== undefined && claims['sub'] !== idTokenSubject)) {
    return credential
  }
  return { ...credential, sources: [...sources, claims], userInfo: claims }
}
