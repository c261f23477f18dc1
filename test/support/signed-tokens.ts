import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import { ISSUER } from './a-policy.ts'

const encoder = new TextEncoder()

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A key pair of an authorization server, and tokens under it. */
export class Signer {
  readonly kid: string
  readonly alg: string
  readonly publicJwk: JWK
  readonly #privateKey: CryptoKey

  private constructor(kid: string, alg: string, publicJwk: JWK, privateKey: CryptoKey) {
    this.kid = kid
    this.alg = alg
    this.publicJwk = publicJwk
    this.#privateKey = privateKey
  }

  static async create(kid: string, alg = 'ES256'): Promise<Signer> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
    return new Signer(kid, alg, publicJwk, privateKey)
  }

  /** An access token as Okta's, valid for an hour from `nowMs`. A claim set to undefined is left out. */
  async token(
    nowMs: number,
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    return await this.sign(JSON.stringify({ ...oktaClaims(nowMs), ...claims }), header)
  }

  /** Signs any text. */
  async sign(payload: string, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { crit, ...others } = { alg: this.alg, kid: this.kid, ...header } as Record<string, unknown> & {
      alg: string
    }
    if (crit !== undefined) return await this.#signRaw(payload, { ...others, crit })
    return await new CompactSign(encoder.encode(payload)).setProtectedHeader(others).sign(this.#privateKey)
  }

  /** The ES256 signature of any text. */
  async signatureOf(input: string): Promise<string> {
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    const signature = await crypto.subtle.sign(algorithm, this.#privateKey, encoder.encode(input))
    return Buffer.from(signature).toString('base64url')
  }

  /** jose refuses to sign extensions that it does not know. */
  async #signRaw(payload: string, header: Readonly<Record<string, unknown>>): Promise<string> {
    const input = `${base64url(header)}.${base64url(payload)}`
    return `${input}.${await this.signatureOf(input)}`
  }
}

export function oktaClaims(nowMs: number): Readonly<Record<string, unknown>> {
  const now = Math.floor(nowMs / 1000)
  return {
    ver: 1,
    jti: 'AT.1',
    iss: ISSUER,
    aud: 'api://default',
    sub: 'alice@example.com',
    iat: now,
    exp: now + 3600,
    cid: 'orders-service',
    uid: '00u1',
    scp: ['orders.read'],
    groups: ['Everyone', 'Engineering'],
  }
}
