import { createPrivateKey, type KeyObject } from 'node:crypto'

const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
const MINIMUM_RSA_BITS = 2048

/**
 * Why a text is no private key that JWTs can be signed with (RFC 7518 §3.1); `undefined` where it is one. A PEM, or a
 * JWK in JSON. Says nothing of what the text holds.
 */
export function privateKeyProblem(text: string): string | undefined {
  const key = readPrivateKey(text)
  if (key === undefined) return 'is no private key: neither a PKCS#8 PEM nor a JWK'
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519') return undefined
  if (type === 'ec') {
    return CURVES.has(details?.namedCurve ?? '') ? undefined : 'is on a curve that JWTs have no algorithm for'
  }
  if (type !== 'rsa') return 'is of a type that JWTs are not signed with here'
  return (details?.modulusLength ?? 0) >= MINIMUM_RSA_BITS
    ? undefined
    : 'is an RSA key of less than 2048 bits'
}

function readPrivateKey(text: string): KeyObject | undefined {
  try {
    if (!text.trimStart().startsWith('{')) return createPrivateKey(text)
    return createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
  } catch {
    return undefined
  }
}
