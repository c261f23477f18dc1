import { cookieValues } from './cookie-header.ts'
import { MAXIMUM_CHUNKS } from './cookie-names.ts'
import { saltOf } from './seal.ts'
import { setCookie, type CookieAttributes } from './set-cookie.ts'

/** The realm's session cookies as one scheme names them. */
export interface SessionCookie {
  /** The name without the chunk number at its end. */
  readonly name: string
  readonly attributes: CookieAttributes
}

/** Browsers drop a longer Set-Cookie without a word, which shows as an endless login. */
const MAXIMUM_SET_COOKIE_BYTES = 4096
/** Planted cookies beyond these are not looked at, so that they cost no more than so many decryptions. */
const MAXIMUM_CANDIDATES = 4

/**
 * The Set-Cookie values that carry a sealed session. The first chunk begins with the number of chunks, each other
 * one with the salt of the session that it belongs to, so that chunks of two sessions are never mixed.
 * `undefined`: too large for cookies.
 *
 * @param maximumBytes All values together. The listener takes 64 KiB of headers; upstreams and proxies in front often
 * take less.
 */
export function writeChunks(
  cookie: SessionCookie,
  sealed: string,
  maximumBytes: number,
): readonly string[] | undefined {
  if (sealed.length > maximumBytes) return undefined
  const overhead = setCookie(`${cookie.name}0`, '', cookie.attributes).length
  const pieces = cut(sealed, MAXIMUM_SET_COOKIE_BYTES - overhead - saltOf(sealed).length - 1)
  if (pieces === undefined) return undefined
  return pieces.map((piece, index) => {
    const prefix = index === 0 ? String(pieces.length) : saltOf(sealed)
    return setCookie(`${cookie.name}${index}`, `${prefix}.${piece}`, cookie.attributes)
  })
}

/**
 * The sealed values that a Cookie header may hold: one, but where a sibling host planted another cookie of the same
 * name. Chunks that are missing leave their value out; chunks of another session are passed over.
 */
export function readChunks(cookieHeader: string, cookieName: string): readonly string[] {
  const firsts = cookieValues(cookieHeader, `${cookieName}0`)
  const sealed: string[] = []
  for (const first of firsts.slice(0, MAXIMUM_CANDIDATES)) {
    const joined = first[1] === '.' ? join(cookieHeader, cookieName, first) : undefined
    if (joined !== undefined) sealed.push(joined)
  }
  return sealed
}

/** The chunk numbers from `from` on of which a Cookie header holds a cookie. */
export function chunksPresent(cookieHeader: string, cookieName: string, from: number): readonly number[] {
  if (!cookieHeader.includes(cookieName)) return []
  return chunkNumbers(from).filter((index) => cookieValues(cookieHeader, `${cookieName}${index}`).length > 0)
}

/** Every possible chunk number from `from` on. */
export function chunkNumbers(from: number): readonly number[] {
  return Array.from({ length: MAXIMUM_CHUNKS - from }, (_, index) => from + index)
}

function join(cookieHeader: string, cookieName: string, first: string): string | undefined {
  const count = first.charCodeAt(0) - 0x30
  if (count < 1 || count > MAXIMUM_CHUNKS) return undefined
  let sealed = first.slice(2)
  if (count === 1) return sealed
  const prefix = `${saltOf(sealed)}.`
  for (let index = 1; index < count; index += 1) {
    const chunk = cookieValues(cookieHeader, `${cookieName}${index}`).find((each) => each.startsWith(prefix))
    if (chunk === undefined) return undefined
    sealed += chunk.slice(prefix.length)
  }
  return sealed
}

function cut(text: string, size: number): readonly string[] | undefined {
  if (size < 1 || text.length > size * MAXIMUM_CHUNKS) return undefined
  const pieces: string[] = []
  for (let from = 0; from < text.length; from += size) pieces.push(text.slice(from, from + size))
  return pieces
}
