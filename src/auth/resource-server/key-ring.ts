import { createLocalJWKSet, type CryptoKey, type LocalJWKSet } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import type { AuthorizationServer } from '../../table/policy.ts'
import {
  KEY_WITHOUT_ID,
  type Answer,
  type AuthorizationServerClient,
  type KeySet,
  type Refused,
  type ServerUnavailable,
} from '../authorization-server/authorization-server-client.ts'
import { matchingKeys, type KeyHint } from '../matching-keys.ts'
import type { MaybePromise } from '../maybe-promise.ts'

/** Older keys are asked for again in the background; how often the server itself is asked is the client's matter. */
const REFRESH_AFTER_MS = 5 * 60_000
const RETRY_AFTER_MS = 30_000
const MAXIMUM_RINGS = 1024

/** Keys that may have signed a token, and the generation that they are of. */
export interface FoundKeys {
  readonly keys: readonly CryptoKey[]
  readonly generation: number
}

/** The keys of one authorization server, imported once. They stay in use when a later fetch fails. */
export class KeyRing {
  readonly #server: AuthorizationServer
  readonly #client: AuthorizationServerClient
  readonly #clock: Clock
  #keys: LocalJWKSet | undefined
  /** By algorithm and `kid`, of those that are in the set: as bounded as it is. */
  readonly #imported = new Map<string, FoundKeys>()
  #content = ''
  #fetchedAtMs = Number.NEGATIVE_INFINITY
  #generation = 0
  #refreshAtMs = 0
  #fetching: Promise<Answer<KeySet>> | undefined

  constructor(server: AuthorizationServer, client: AuthorizationServerClient, clock: Clock) {
    this.#server = server
    this.#client = client
    this.#clock = clock
  }

  /** Counts up when the set's content changes: what was verified before may have been so with a revoked key. */
  get generation(): number {
    return this.#generation
  }

  /** Asks for the keys again in the background where they are old. Costs a comparison otherwise. */
  refreshIfOld(): void {
    if (this.#clock.monotonic() < this.#refreshAtMs || this.#fetching !== undefined) return
    void this.#fetch()
  }

  /**
   * The keys that may have signed a token; more than one only where it names none. Empty: no such key, also after
   * asking once more. At once where they were found before.
   */
  find(hint: KeyHint): MaybePromise<FoundKeys | Refused | ServerUnavailable> {
    this.refreshIfOld()
    return this.#imported.get(nameOf(hint)) ?? this.#find(hint)
  }

  async #find(hint: KeyHint): Promise<FoundKeys | Refused | ServerUnavailable> {
    if (this.#keys === undefined) {
      const answer = await this.#fetch()
      if (!answer.ok) return answer
    }
    const found = await this.#candidates(hint)
    if (found.keys.length > 0 || hint.kid === undefined) return found
    return this.findNew(hint)
  }

  /** As `find`, with keys that are asked for anew, as often as the server may be: those that are known do not fit. */
  async findNew(hint: KeyHint): Promise<FoundKeys | Refused | ServerUnavailable> {
    const answer = await this.#client.keys(this.#server, hint.kid ?? KEY_WITHOUT_ID)
    if (!answer.ok) return answer
    this.#take(answer.value)
    return await this.#candidates(hint)
  }

  async #candidates(hint: KeyHint): Promise<FoundKeys> {
    const generation = this.#generation
    const keys = this.#keys === undefined ? [] : await matchingKeys(this.#keys, hint)
    const found = { keys, generation }
    // The set may have been replaced while a key was imported.
    if (keys.length > 0 && generation === this.#generation) this.#imported.set(nameOf(hint), found)
    return found
  }

  #fetch(): Promise<Answer<KeySet>> {
    this.#fetching ??= this.#client.keys(this.#server).then((answer) => {
      this.#fetching = undefined
      this.#refreshAtMs = this.#clock.monotonic() + (answer.ok ? REFRESH_AFTER_MS : RETRY_AFTER_MS)
      if (answer.ok) this.#take(answer.value)
      return answer
    })
    return this.#fetching
  }

  #take(set: KeySet): void {
    // Two fetches may overtake each other; the older set must not come back.
    if (set.fetchedAtMs < this.#fetchedAtMs) return
    this.#fetchedAtMs = set.fetchedAtMs
    const content = JSON.stringify(set.keys)
    if (this.#keys !== undefined && content === this.#content) return
    this.#keys = createLocalJWKSet({ keys: set.keys.filter(isPublicKey) })
    this.#content = content
    this.#imported.clear()
    this.#generation += 1
  }
}

function nameOf({ alg, kid }: KeyHint): string {
  return kid === undefined ? alg : `${alg} ${kid}`
}

/** A symmetric key in a public set is known to everyone. */
function isPublicKey(key: unknown): boolean {
  return typeof key === 'object' && key !== null && 'kty' in key && key.kty !== 'oct'
}

/** The key rings of all authorization servers that tokens were verified for. */
export class KeyRings {
  readonly #client: AuthorizationServerClient
  readonly #clock: Clock
  readonly #rings = new LRUCache<string, KeyRing>({ max: MAXIMUM_RINGS })

  constructor(client: AuthorizationServerClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  get(server: AuthorizationServer): KeyRing {
    const known = this.#rings.get(server.id)
    if (known !== undefined) return known
    const ring = new KeyRing(server, this.#client, this.#clock)
    this.#rings.set(server.id, ring)
    return ring
  }
}
