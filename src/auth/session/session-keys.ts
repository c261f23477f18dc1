import { hkdfSync } from 'node:crypto'
import type { AuthSnapshot } from '../authorize.ts'

/** One session key, decoded. */
export interface SessionKey {
  /** 16 hex digits derived from the key, which sealed values carry so that the right key is found at once. */
  readonly id: string
  readonly secret: Buffer
}

/** Newest first: the first seals, all open. */
export type KeyRing = readonly SessionKey[]

const KEY_BYTES = 32
export const KEY_ID_BYTES = 8

/** Decodes the session keys of a snapshot, once per snapshot. */
export class SessionKeys {
  readonly #rings = new WeakMap<AuthSnapshot, KeyRing>()

  /**
   * The snapshot's key ring. A key that is absent or not base64url of 32 bytes is left out: with none left nothing
   * can be sealed or opened.
   */
  ringOf(snapshot: AuthSnapshot): KeyRing {
    const known = this.#rings.get(snapshot)
    if (known !== undefined) return known
    const ring = snapshot.sessionKeys.flatMap((id) => decodeKey(snapshot.secret(id)) ?? [])
    this.#rings.set(snapshot, ring)
    return ring
  }
}

function decodeKey(encoded: string | undefined): SessionKey | undefined {
  if (encoded === undefined) return undefined
  const secret = Buffer.from(encoded, 'base64url')
  if (secret.length !== KEY_BYTES) return undefined
  const id = Buffer.from(hkdfSync('sha256', secret, '', 'ostiary session key id', KEY_ID_BYTES))
  return { id: id.toString('hex'), secret }
}
