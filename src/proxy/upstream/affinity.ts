import { createHmac, hkdfSync } from 'node:crypto'
import { cookieValues } from '../../auth/session/cookie-header.ts'

const TOKEN_CHARACTERS = 22

/** Keys for the tokens of all upstreams, from session keys (base64url): every replica has the same. */
export function affinityKeys(sessionKeys: readonly (string | undefined)[]): Buffer[] {
  return sessionKeys
    .filter((key) => key !== undefined)
    .map((key) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64url'), '', 'ostiary upstream affinity', 32)),
    )
}

/**
 * What cookies say of the endpoints of one upstream: a keyed hash of the address, so that nobody learns it and nothing
 * moves when other endpoints come and go.
 */
export class AffinityTokens {
  readonly #tokens: readonly string[]
  readonly #indexes: ReadonlyMap<string, number>

  /** @param keys newest first: the first makes tokens, all are understood; at least one */
  constructor(upstream: string, origins: readonly string[], keys: readonly Buffer[]) {
    const indexes = new Map<string, number>()
    for (const key of keys) {
      for (const [index, origin] of origins.entries()) indexes.set(tokenOf(key, upstream, origin), index)
    }
    this.#indexes = indexes
    this.#tokens = keys.slice(0, 1).flatMap((key) => origins.map((origin) => tokenOf(key, upstream, origin)))
  }

  indexOf(token: string): number | undefined {
    return this.#indexes.get(token)
  }

  tokenOf(index: number): string | undefined {
    return this.#tokens[index]
  }
}

function tokenOf(key: Buffer, upstream: string, origin: string): string {
  const hash = createHmac('sha256', key).update(`${upstream} ${origin}`).digest('base64url')
  return hash.slice(0, TOKEN_CHARACTERS)
}

/** What a client's Cookie header says for an upstream's cookie. */
export function readAffinity(cookieHeader: string | undefined, name: string, secure: boolean): string {
  if (cookieHeader === undefined) return ''
  return cookieValues(cookieHeader, nameFor(name, secure))[0] ?? ''
}

/** The Set-Cookie that keeps a client at an endpoint until its browser is closed. */
export function affinityCookie(name: string, token: string, secure: boolean): string {
  const flags = secure ? '; Secure' : ''
  return `${nameFor(name, secure)}=${token}; Path=/${flags}; HttpOnly; SameSite=Lax`
}

function nameFor(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name
}
