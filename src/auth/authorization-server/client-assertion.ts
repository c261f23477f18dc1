import { createHash, createPrivateKey, randomUUID, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'

/** Long enough for skewed clocks, and at most what servers take (Okta: an hour). */
const LIFETIME_SECONDS = 60
const MAXIMUM_KEYS = 1_024

/** What a client signs its assertions with. */
export interface AssertionKey {
  readonly key: KeyObject | Uint8Array
  readonly alg: string
  readonly kid?: string
}

/**
 * A JWT that proves a client (RFC 7523 §3, OpenID Connect Core §9): `iss` and `sub` are the client, `jti` is new each
 * time, and it is good for a minute.
 */
export async function clientAssertion(
  { key, alg, kid }: AssertionKey,
  clientId: string,
  audience: string,
  nowSeconds: number,
): Promise<string> {
  return await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }), typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + LIFETIME_SECONDS)
    .sign(key)
}

// Reading a PEM costs more than signing with an elliptic curve. Found by a digest: no key text is kept as a map's key.
const keys = new LRUCache<string, AssertionKey>({ max: MAXIMUM_KEYS })

/**
 * Reads a private key: PEM (PKCS#8, also PKCS#1 and SEC 1), or a JWK in JSON, whose `kid` and `alg` are kept.
 *
 * @returns `undefined` where the text is no key, or one that no algorithm of JWTs fits.
 */
export function readAssertionKey(text: string): AssertionKey | undefined {
  const id = createHash('sha256').update(text).digest('base64')
  const known = keys.get(id)
  if (known !== undefined) return known
  const read = parse(text)
  if (read !== undefined) keys.set(id, read)
  return read
}

function parse(text: string): AssertionKey | undefined {
  try {
    if (!text.trimStart().startsWith('{')) return withAlgorithm(createPrivateKey(text), {})
    const jwk = JSON.parse(text) as Readonly<Record<string, unknown>>
    return withAlgorithm(createPrivateKey({ key: jwk, format: 'jwk' }), jwk)
  } catch {
    return undefined
  }
}

const CURVE_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
const RSA_ALGORITHM = /^[RP]S(256|384|512)$/

function withAlgorithm(key: KeyObject, jwk: Readonly<Record<string, unknown>>): AssertionKey | undefined {
  const alg = algorithmOf(key, jwk['alg'])
  if (alg === undefined) return undefined
  return { key, alg, ...(typeof jwk['kid'] === 'string' && { kid: jwk['kid'] }) }
}

/** An EC or Ed25519 key leaves no choice; an RSA key signs RS256, which every server knows, unless its JWK says more. */
function algorithmOf(
  { asymmetricKeyType, asymmetricKeyDetails }: KeyObject,
  wanted: unknown,
): string | undefined {
  if (asymmetricKeyType === 'rsa') {
    return typeof wanted === 'string' && RSA_ALGORITHM.test(wanted) ? wanted : 'RS256'
  }
  if (asymmetricKeyType === 'ec') return CURVE_ALGORITHMS[asymmetricKeyDetails?.namedCurve ?? '']
  return asymmetricKeyType === 'ed25519' ? 'EdDSA' : undefined
}
