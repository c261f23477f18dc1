import type { Answer, KeySet } from './authorization-server-client.ts'
import type { ServerKeys } from './keys.ts'

/**
 * The key sets that a policy trusts for one issuer, as one set: the issuer's own, then `extraJwksUris`. A set that
 * cannot be fetched does not take the others along, but while it is missing no key counts as unknown: nobody can tell.
 */
export class JoinedKeys {
  readonly #own: ServerKeys
  readonly #extra: readonly ServerKeys[]

  constructor(own: ServerKeys, extra: readonly ServerKeys[]) {
    this.#own = own
    this.#extra = extra
  }

  /** When the oldest of the sets in use was fetched; `undefined` before the first. */
  get oldestFetchedAtMs(): number | undefined {
    return this.current?.fetchedAtMs
  }

  /** The sets in use, as one; `undefined` before the first was fetched. */
  get current(): KeySet | undefined {
    const sets = [this.#own, ...this.#extra].flatMap(({ current }) => current ?? [])
    if (sets.length === 0) return undefined
    return {
      keys: sets.flatMap(({ keys }) => keys),
      fetchedAtMs: Math.min(...sets.map((set) => set.fetchedAtMs)),
    }
  }

  /** See `AuthorizationServerClient.keys`. */
  async get(missingKeyId: string | undefined): Promise<Answer<KeySet>> {
    if (this.#extra.length === 0) return await this.#own.get(missingKeyId)
    const known = [this.#own, ...this.#extra].some(({ current }) => hasKey(current, missingKeyId))
    // Known in one set, the id is missing in no other: none of them is fetched for it.
    const missing = known ? undefined : missingKeyId
    const answers = await Promise.all([this.#own, ...this.#extra].map((keys) => keys.get(missing)))
    const sets = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
    const failure = answers.find((answer) => !answer.ok)
    const isIncomplete = missingKeyId !== undefined && !sets.some((set) => hasKey(set, missingKeyId))
    if (failure !== undefined && (sets.length === 0 || isIncomplete)) return failure
    const fetchedAtMs = Math.max(...sets.map((set) => set.fetchedAtMs))
    return { ok: true, value: { keys: sets.flatMap((set) => set.keys), fetchedAtMs } }
  }
}

function hasKey(set: KeySet | undefined, keyId: string | undefined): boolean {
  return set?.keys.some(({ kid }) => kid === keyId) === true
}
