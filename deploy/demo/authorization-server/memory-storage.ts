/** What oidc-provider hands over to be stored. */
interface StoredPayload {
  readonly clientId?: string
  readonly accountId?: string
  readonly grantId?: string
  readonly uid?: string
  consumed?: number
}

interface Entry {
  readonly model: string
  readonly id: string
  readonly payload: StoredPayload
  readonly expiresAtMs: number
}

/**
 * Everything oidc-provider remembers (sessions, interactions, grants, codes, tokens), in memory. Unlike the
 * library's own adapter it can be asked to forget a client or a user. Entries that nobody reads again stay until
 * the process ends: it serves demos and tests.
 */
export class MemoryStorage {
  readonly #entries = new Map<string, Entry>()

  /**
   * The adapter for one of the library's models, as its configuration's `adapter` function returns it.
   *
   * @param graceSeconds How long something that was used is as if it were not.
   */
  adapter(model: string, graceSeconds: () => number = () => 0) {
    const key = (id: string): string => `${model}:${id}`
    const find = async (id: string): Promise<StoredPayload | undefined> => {
      const payload = this.#live(key(id))?.payload
      if (payload?.consumed === undefined) return payload
      const { consumed, ...unused } = payload
      return Date.now() / 1000 < consumed + graceSeconds() ? unused : payload
    }
    return {
      find,
      upsert: async (id: string, payload: StoredPayload, expiresInSeconds = Infinity): Promise<void> => {
        const expiresAtMs = Date.now() + expiresInSeconds * 1000
        this.#entries.set(key(id), { model, id, payload, expiresAtMs })
      },
      destroy: async (id: string): Promise<void> => {
        this.#entries.delete(key(id))
      },
      consume: async (id: string): Promise<void> => {
        const payload = this.#live(key(id))?.payload
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      findByUid: async (uid: string): Promise<StoredPayload | undefined> =>
        [...this.#entries.values()].find((entry) => entry.model === model && entry.payload.uid === uid)
          ?.payload,
      findByUserCode: async (): Promise<undefined> => undefined,
      revokeByGrantId: async (grantId: string): Promise<void> => this.forgetGrant(grantId),
    }
  }

  /** Drops the grant and every code and token that came from it. */
  forgetGrant(grantId: string): void {
    this.#forget((entry) => entry.payload.grantId === grantId || entry.id === grantId)
  }

  forgetClient(clientId: string): void {
    this.#forget((entry) => entry.payload.clientId === clientId)
  }

  forgetUser(accountId: string): void {
    this.#forget((entry) => entry.payload.accountId === accountId)
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (!entry || entry.expiresAtMs > Date.now()) return entry
    this.#entries.delete(key)
    return undefined
  }

  #forget(matches: (entry: Entry) => boolean): void {
    for (const [key, entry] of this.#entries) if (matches(entry)) this.#entries.delete(key)
  }
}
