import type { Clock } from '../../clock.ts'
import type { Answer, KeySet } from './authorization-server-client.ts'
import { cacheLifetimeMs, type LifetimeBounds } from './cache-lifetime.ts'
import { isObject } from './json-object.ts'
import { KeptAnswer, type Fetched } from './kept-answer.ts'
import type { OutboundFetch } from './outbound-fetch.ts'
import { unavailable } from './unavailable.ts'

const LIFETIME: LifetimeBounds = { minimumMs: 60_000, maximumMs: 86_400_000, defaultMs: 600_000 }
type PublicKey = Readonly<Record<string, unknown>>

/** RFC 7518 §6, RFC 8037 §2 and the AKP draft: the public members by key type. `oct` has none. */
const PUBLIC_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  AKP: ['pub'],
}
const COMMON_MEMBERS = ['kid', 'alg', 'use', 'key_ops']

/** The keys of one authorization server. */
export class ServerKeys {
  readonly #clock: Clock
  readonly #kept: KeptAnswer<KeySet>
  readonly #missingKeyPauseMs: number
  #missingKeyPauseEndsMs = Number.NEGATIVE_INFINITY

  /**
   * @param fetch Fetches the set anew; may not reject.
   * @param missingKeyPauseMs A stranger may name unknown keys at any rate; the server is asked at this one.
   */
  constructor(clock: Clock, fetch: () => Promise<Answer<Fetched<KeySet>>>, missingKeyPauseMs: number) {
    this.#clock = clock
    this.#missingKeyPauseMs = missingKeyPauseMs
    this.#kept = new KeptAnswer(clock, fetch)
  }

  /** The set as it is now; `undefined` before it was first fetched. */
  get current(): KeySet | undefined {
    return this.#kept.current
  }

  /** See `AuthorizationServerClient.keys`. */
  get(missingKeyId: string | undefined): Promise<Answer<KeySet>> {
    const known = this.#kept.current
    if (missingKeyId === undefined || known === undefined) return this.#kept.get()
    if (known.keys.some(({ kid }) => kid === missingKeyId)) return this.#kept.get()
    const nowMs = this.#clock.monotonic()
    if (nowMs < this.#missingKeyPauseEndsMs) return this.#kept.settled()
    this.#missingKeyPauseEndsMs = nowMs + this.#missingKeyPauseMs
    return this.#kept.refresh()
  }
}

/**
 * Fetches a JSON Web Key Set (RFC 7517 §5). A set without one usable public key is no answer, so that a server's
 * mishap empties nothing.
 */
export async function fetchKeys(
  url: URL,
  outbound: OutboundFetch,
  clock: Clock,
): Promise<Answer<Fetched<KeySet>>> {
  const answer = await outbound.call({ endpoint: 'jwks', url, repeatable: true })
  if (!answer.ok) return answer
  const { body, headers } = answer.value
  const keys = Array.isArray(body['keys']) ? body['keys'].flatMap(publicKey) : []
  if (keys.length === 0) return unavailable(`jwks endpoint at ${url.host} answered without a public key`)
  const lifetimeMs = cacheLifetimeMs(headers['cache-control'], LIFETIME)
  return { ok: true, value: { document: { keys, fetchedAtMs: clock.now() }, lifetimeMs } }
}

/** The key with its known public members only; none for symmetric keys and what is no key. */
function publicKey(value: unknown): readonly PublicKey[] {
  if (!isObject(value)) return []
  const { kty } = value
  const members =
    typeof kty === 'string' && Object.hasOwn(PUBLIC_MEMBERS, kty) ? PUBLIC_MEMBERS[kty] : undefined
  if (!members?.every((member) => typeof value[member] === 'string')) return []
  const kept = [...COMMON_MEMBERS, ...members].filter((member) => value[member] !== undefined)
  return [{ kty, ...Object.fromEntries(kept.map((member) => [member, value[member]])) }]
}
