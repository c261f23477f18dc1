import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { KEY_ID_BYTES, type KeyRing, type SessionKey } from './session-keys.ts'

/** What a sealed value is bound to: it opens under the same three only. */
export interface SealContext {
  readonly purpose: 'session' | 'redis-handle' | 'redis-session' | 'flow' | 'state' | 'login-count'
  /** Empty where the realm is inside the sealed value (`state`). */
  readonly realm: string
  /** Name of the cookie or parameter that carries it. */
  readonly name: string
}

/** A value that opened, and the key that did it: a cache must forget it when that key leaves the ring. */
export interface Opened {
  readonly plain: Buffer
  readonly keyId: string
}

/** More is neither sealed nor inflated, so that no sealed value can be a decompression bomb. */
export const MAXIMUM_PLAIN_BYTES = 65_536

const VERSION = 1
const SALT_BYTES = 16
const IV_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES + SALT_BYTES
const ALGORITHM = 'aes-256-gcm'

/**
 * Compresses and encrypts. Layout: version, key id, salt, ciphertext, tag, as base64url, which is also within the
 * characters that Okta allows in `state`. Key and nonce are derived from a random salt each time (HKDF, RFC 5869),
 * so no two values share a key and a nonce cannot repeat under one.
 *
 * @param plain At most `MAXIMUM_PLAIN_BYTES`, else `undefined` is returned.
 */
export function seal(
  plain: Buffer,
  key: SessionKey,
  context: SealContext,
  randomBytes: (size: number) => Buffer,
): string | undefined {
  if (plain.length > MAXIMUM_PLAIN_BYTES) return undefined
  const header = Buffer.concat([Buffer.of(VERSION), Buffer.from(key.id, 'hex'), randomBytes(SALT_BYTES)])
  const { cipherKey, iv, associatedData } = derive(key, header, context)
  const cipher = createCipheriv(ALGORITHM, cipherKey, iv)
  cipher.setAAD(associatedData)
  const sealed = [header, cipher.update(deflateRawSync(plain)), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(sealed).toString('base64url')
}

/** Opens what `seal` made, with whichever key of the ring made it; `undefined` for anything else. */
export function open(sealed: string, ring: KeyRing, context: SealContext): Opened | undefined {
  const bytes = decodeCanonical(sealed)
  if (bytes === undefined || bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION) return undefined
  const keyId = bytes.toString('hex', 1, 1 + KEY_ID_BYTES)
  const key = ring.find((each) => each.id === keyId)
  if (key === undefined) return undefined
  const { cipherKey, iv, associatedData } = derive(key, bytes.subarray(0, HEADER_BYTES), context)
  const decipher = createDecipheriv(ALGORITHM, cipherKey, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(associatedData)
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const compressed = Buffer.concat([
      decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)),
      decipher.final(),
    ])
    return { plain: inflateRawSync(compressed, { maxOutputLength: MAXIMUM_PLAIN_BYTES }), keyId }
  } catch {
    return undefined
  }
}

/** The salt's characters inside a sealed value: different for any two values, whatever they hold. */
export function saltOf(sealed: string): string {
  return sealed.slice(12, 33)
}

function derive(key: SessionKey, header: Buffer, context: SealContext) {
  const binding = JSON.stringify(['ostiary', context.purpose, context.realm, context.name])
  const salt = header.subarray(-SALT_BYTES)
  const derived = Buffer.from(hkdfSync('sha256', key.secret, salt, binding, 32 + IV_BYTES))
  return {
    cipherKey: derived.subarray(0, 32),
    iv: derived.subarray(32),
    associatedData: Buffer.concat([header, Buffer.from(binding)]),
  }
}

/** Node skips foreign characters and spare bits of the last one; a value that was changed so must not open. */
function decodeCanonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
