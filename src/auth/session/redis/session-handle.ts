import { createHmac } from 'node:crypto'
import type { KeyRing, SessionKey } from '../session-keys.ts'

/** What the browser holds of a session in Redis: which one it is, and the key that its contents are sealed under. */
export interface SessionHandle {
  /** `Session.id`. */
  readonly id: string
  readonly key: Buffer
}

const ID_BYTES = 16
const KEY_BYTES = 32

/** The bytes of a handle, to be sealed into the cookie; `undefined` for an id that is not 16 bytes in base64url. */
export function encodeHandle({ id, key }: SessionHandle): Buffer | undefined {
  const bytes = Buffer.from(id, 'base64url')
  return bytes.length === ID_BYTES ? Buffer.concat([bytes, key]) : undefined
}

/** Reads what `encodeHandle` wrote. */
export function decodeHandle(bytes: Buffer): SessionHandle | undefined {
  if (bytes.length !== ID_BYTES + KEY_BYTES) return undefined
  return { id: bytes.toString('base64url', 0, ID_BYTES), key: bytes.subarray(ID_BYTES) }
}

/** A key for a new session. */
export function newHandleKey(randomBytes: (size: number) => Buffer): Buffer {
  return randomBytes(KEY_BYTES)
}

/**
 * The keys that open a session's contents: each of the server's mixed with the browser's. Whoever has only Redis, or
 * Redis and the server's keys, or Redis and a cookie, opens nothing.
 */
export function contentKeys(ring: KeyRing, handle: SessionHandle): KeyRing {
  return ring.map((key) => contentKey(key, handle))
}

function contentKey({ id, secret }: SessionKey, handle: SessionHandle): SessionKey {
  return {
    id,
    secret: createHmac('sha256', secret).update('ostiary session contents').update(handle.key).digest(),
  }
}
