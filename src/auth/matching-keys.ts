import { errors, type CryptoKey, type LocalJWKSet } from 'jose'

/** A token without `kid` is tried against so many keys. */
const MAXIMUM_KEYS = 8

/** The header members that choose a key. `jwk`, `jku`, `x5c` and `x5u` never do: they are the sender's own words. */
export interface KeyHint {
  readonly alg: string
  readonly kid: string | undefined
}

/**
 * The keys of a set that may have made a signature: of its algorithm, for signatures, and of its `kid` where it names
 * one. Keys for encryption and keys that cannot be imported are passed over. More than one only where none is named,
 * or two are named alike.
 */
export async function matchingKeys(set: LocalJWKSet, { alg, kid }: KeyHint): Promise<readonly CryptoKey[]> {
  try {
    return [await set({ alg, ...(kid !== undefined && { kid }) })]
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return []
    const keys: CryptoKey[] = []
    for await (const key of error) {
      keys.push(key)
      if (keys.length === MAXIMUM_KEYS) break
    }
    return keys
  }
}
