import { createHmac } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { ClientAuthMethod, Policy } from '../table/policy.ts'
import type { AuthDependencies } from './authorize.ts'
import { CacheCounts, type CacheTally } from './cache-counts.ts'
import type {
  Answer,
  ServerUnavailable,
  TokenSet,
} from './authorization-server/authorization-server-client.ts'
import type { FoundClient } from './client-credential.ts'
import type { MaybePromise } from './maybe-promise.ts'
import { rejected, serverRejection, type Rejected } from './resource-server/judgement.ts'
import { SingleFlight } from './single-flight.ts'

const MAXIMUM_ENTRIES = 10_000
/** A token is renewed this long before its end, or a tenth of its life where that is shorter. */
const MAXIMUM_MARGIN_MS = 30_000
/** Mean nothing without a user, and Okta refuses the whole grant for `openid`. */
const USER_SCOPES = new Set(['openid', 'offline_access'])

/** A token that was issued to a caller's client. */
export interface Grant {
  readonly ok: true
  /** Names the credential without telling it: an HMAC under a key of this process. */
  readonly key: string
  readonly token: string
  /** What the token endpoint said of the scope, else what was asked for (RFC 6749 §5.1). */
  readonly scope: string | undefined
  readonly cached: boolean
}

export type GrantOutcome = Grant | Rejected | ServerUnavailable

interface Entry {
  readonly outcome: Grant | Rejected
  readonly untilMs: number
}

/**
 * Replays callers' client ids and secrets at the token endpoint (RFC 6749 §4.4), so that only the authorization server
 * judges them. Tokens are kept until shortly before they expire, a refusal for seconds, and however many requests
 * wait, one asks.
 */
export class ClientCredentials {
  readonly #deps: AuthDependencies
  readonly #hmacKey: Buffer
  readonly #tally: CacheTally
  readonly #flights = new SingleFlight<GrantOutcome>()
  readonly #granted = new LRUCache<string, Entry>({ max: MAXIMUM_ENTRIES })
  /** Apart from tokens: whoever guesses secrets must push no token out. */
  readonly #refused = new LRUCache<string, Entry>({ max: MAXIMUM_ENTRIES })

  constructor(deps: AuthDependencies) {
    this.#deps = deps
    this.#hmacKey = deps.randomBytes(32)
    const { caches = new CacheCounts() } = deps
    this.#tally = caches.tally('client_credentials', () => this.#granted.size + this.#refused.size)
  }

  /** A token for this client: a kept one where there is one. */
  obtain(policy: Policy, client: FoundClient): MaybePromise<GrantOutcome> {
    const authMethod = clientAuthMethod(policy)
    const scopes = scopesWithoutUser(policy)
    const key = this.#keyOf([
      policy.id,
      policy.revision,
      policy.server.id,
      authMethod,
      scopes,
      policy.audience,
      client.id,
      client.secret,
    ])
    const entry = policy.clientCredentials.cache ? this.#kept(key) : undefined
    if (entry !== undefined) {
      this.#tally.hits += 1
      return entry.outcome
    }
    this.#tally.misses += 1
    return this.#flights.run(key, async () => {
      const answer = await this.#deps.authorizationServers.clientCredentialsGrant(policy.server, {
        client: { id: client.id, secret: client.secret, authMethod },
        scopes,
        audience: policy.audience,
        tokenArguments: policy.tokenArguments,
      })
      const outcome = outcomeOf(answer, key, scopes)
      if (policy.clientCredentials.cache) this.#keep(policy, key, outcome, answer)
      return outcome
    })
  }

  /** Forgets a kept token that turned out not to be good any more. */
  forget({ key, token }: Grant): void {
    const outcome = this.#granted.get(key)?.outcome
    if (outcome?.ok === true && outcome.token === token) this.#granted.delete(key)
  }

  /** Remembers for seconds that a new token was no good either, so that not every request fetches another. */
  refuse(policy: Policy, { key }: Grant, rejection: Rejected): void {
    const { cache, clientCredentials } = policy
    if (!clientCredentials.cache) return
    const untilMs = this.#deps.clock.now() + cache.negativeTtlSeconds * 1000
    this.#refused.set(key, { outcome: rejection, untilMs })
  }

  #kept(key: string): Entry | undefined {
    const now = this.#deps.clock.now()
    return [this.#refused.get(key), this.#granted.get(key)].find(
      (entry) => entry !== undefined && now < entry.untilMs,
    )
  }

  #keep(policy: Policy, key: string, outcome: GrantOutcome, answer: Answer<TokenSet>): void {
    if (!outcome.ok && outcome.kind === 'unavailable') return
    const lifetimeMs =
      outcome.ok && answer.ok
        ? tokenLifetimeMs(policy, answer.value.expiresInSeconds)
        : policy.cache.negativeTtlSeconds * 1000
    if (lifetimeMs <= 0) return
    const kept = outcome.ok ? { ...outcome, cached: true } : outcome
    const entries = outcome.ok ? this.#granted : this.#refused
    entries.set(key, { outcome: kept, untilMs: this.#deps.clock.now() + lifetimeMs })
  }

  #keyOf(parts: readonly unknown[]): string {
    return createHmac('sha256', this.#hmacKey).update(JSON.stringify(parts)).digest('base64')
  }
}

/** The scopes that a client-credentials request asks for. */
export function scopesWithoutUser({ scopes }: Policy): readonly string[] {
  return scopes.filter((scope) => !USER_SCOPES.has(scope))
}

/**
 * Whether the policy's own client sends its secret in the body tells how this server wants it; any other method would
 * leave out the very secret that is to be judged, or take it for a key.
 */
function clientAuthMethod({ client }: Policy): ClientAuthMethod {
  return client?.tokenEndpointAuthMethod === 'client_secret_post'
    ? 'client_secret_post'
    : 'client_secret_basic'
}

function outcomeOf(answer: Answer<TokenSet>, key: string, scopes: readonly string[]): GrantOutcome {
  if (!answer.ok) return answer.kind === 'refused' ? serverRejection(answer) : answer
  const { accessToken: token, tokenType, scope = scopes.join(' ') } = answer.value
  if (tokenType.toLowerCase() !== 'bearer') return rejected('server_refused', 'token is not of type Bearer')
  return { ok: true, key, token, scope: scope === '' ? undefined : scope, cached: false }
}

/** How long a token may be kept; 0 where its own lifetime is over before it began. */
function tokenLifetimeMs({ cache }: Policy, expiresInSeconds: number | undefined): number {
  const lifetimeMs = (expiresInSeconds ?? cache.ttlSeconds) * 1000
  const untilRenewalMs = lifetimeMs - Math.min(MAXIMUM_MARGIN_MS, lifetimeMs / 10)
  const maximumMs = (cache.maximumTtlSeconds ?? Number.POSITIVE_INFINITY) * 1000
  return Math.min(untilRenewalMs, maximumMs)
}
