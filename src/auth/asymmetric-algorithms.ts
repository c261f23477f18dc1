/**
 * The signature algorithms that are taken, of access tokens, ID tokens and logout tokens alike (RFC 7518 §3.1,
 * RFC 8037, RFC 9864). Asymmetric only: with HS256 a public key would be the secret, and `none` is no signature.
 */
export const ASYMMETRIC_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
