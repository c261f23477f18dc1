import { randomBytes } from 'node:crypto'
import { compactVerify, CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose'

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** The server's RS256 keys. The newest signs; older ones are published until they are dropped. */
export class SigningKeys {
  #published: readonly [SigningKey, ...SigningKey[]]
  /** Dropped keys still say which tokens are the server's own, so that introspection stays truthful. */
  readonly #known = new Map<string, SigningKey>()

  private constructor(key: SigningKey) {
    this.#published = [key]
    this.#known.set(key.kid, key)
  }

  static async generate(): Promise<SigningKeys> {
    return new SigningKeys(await newKey())
  }

  /** The JWK Set document, public parts only. */
  get jwks(): { readonly keys: readonly JWK[] } {
    return { keys: this.#published.map((key) => key.publicJwk) }
  }

  get privateJwk(): JWK {
    return this.#published[0].privateJwk
  }

  /** Makes a new key sign, under a new kid. @returns The new kid. */
  async rotate(old: 'kept' | 'dropped'): Promise<string> {
    const key = await newKey()
    this.#known.set(key.kid, key)
    this.#published = old === 'kept' ? [key, ...this.#published] : [key]
    return key.kid
  }

  /** Signs a JWT. Okta's headers hold `kid` and `alg` alone, not even `typ`; `header` adds or replaces. */
  async sign(payload: object, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const [key] = this.#published
    return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ kid: key.kid, alg: 'RS256', ...header })
      .sign(key.privateKey)
  }

  /** The payload of a JWT that this server signed, with whichever key; undefined for anything else. Ignores `exp`. */
  async verify(jwt: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { payload } = await compactVerify(
        jwt,
        ({ kid }) => {
          const key = this.#known.get(kid ?? '')
          if (!key) throw new Error('unknown kid')
          return key.publicKey
        },
        { algorithms: ['RS256'] },
      )
      return JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>
    } catch {
      return undefined
    }
  }
}

async function newKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = randomBytes(32).toString('base64url')
  const common = { kid, alg: 'RS256', use: 'sig' }
  return {
    kid,
    privateKey,
    publicKey,
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
  }
}
