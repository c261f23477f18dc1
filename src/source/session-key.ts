import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { Resources } from '../api/resources.ts'
import { messageOf, OstiaryError } from '../errors.ts'
import { Redacted } from '../redacted.ts'

/** Newest first: the first seals, all open. Each holds base64url of 32 bytes. */
export type SessionKeys = readonly Redacted[]

const BYTES = 32
const HEX = /^[0-9a-fA-F]{64}$/
/** Both alphabets of RFC 4648, with or without padding: `openssl rand -base64 32` gives the first. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/
const REMEDY = 'make one with: openssl rand -base64 32'

/** Where in the key Secret the keys are: the same text as in a key file. */
export const SESSION_KEY_FIELD = 'keys'

/** A new random key. */
export function newSessionKey(): Redacted {
  return new Redacted(randomBytes(BYTES).toString('base64url'))
}

/**
 * Reads session keys from text: one per line, newest first, each 32 bytes in base64url, base64 or hex. Blank lines and
 * lines that begin with `#` are passed over. No message holds any part of a key.
 *
 * @param place Where the text is from, for messages.
 * @throws OstiaryError ERR_SESSION_KEY_INVALID
 */
export function parseSessionKeys(text: string, place: string): SessionKeys {
  const keys = new Map<string, number>()
  for (const [index, each] of text.split('\n').entries()) {
    const line = each.trim()
    if (line === '' || line.startsWith('#')) continue
    const key = parseKey(line, `${place}, line ${index + 1}`)
    const before = keys.get(key)
    if (before !== undefined) {
      throw invalid(`${place}, line ${index + 1}: repeats line ${before}; remove one of them`)
    }
    keys.set(key, index + 1)
  }
  if (keys.size === 0) throw invalid(`${place}: holds no session key; ${REMEDY}`)
  return [...keys.keys()].map((key) => new Redacted(key))
}

function parseKey(line: string, place: string): string {
  const isHex = HEX.test(line)
  if (!isHex && !BASE64.test(line)) {
    throw invalid(`${place}: is not 32 bytes in base64url, base64 or hex; ${REMEDY}`)
  }
  const bytes = Buffer.from(line, isHex ? 'hex' : 'base64url')
  if (new Set(bytes).size === 1) throw invalid(`${place}: is the same byte over and over; ${REMEDY}`)
  return bytes.toString('base64url')
}

/**
 * Follows the key Secret in what the cluster source lists, so that keys rotate without a restart: gives the keys of
 * the newest form of it that was valid, at first the given ones. A slip while rotating, or the Secret's deletion, must
 * not end every session.
 */
export function followSessionKeys(
  secret: { readonly namespace: string; readonly name: string },
  initial: SessionKeys,
  logger: Logger,
): (resources: Resources) => SessionKeys {
  let keys = initial
  let seen: string | undefined
  return ({ secrets }) => {
    const found = secrets.find(
      ({ metadata }) => metadata.name === secret.name && metadata.namespace === secret.namespace,
    )
    const text = found?.values[SESSION_KEY_FIELD]?.reveal()
    if (text === undefined || text === seen) return keys
    seen = text
    try {
      keys = parseSessionKeys(text, `Secret ${secret.namespace}/${secret.name}, key ${SESSION_KEY_FIELD}`)
      logger.info({ ...secret, keys: keys.length }, 'session keys read')
    } catch (error) {
      logger.error({ ...secret, reason: messageOf(error) }, 'session keys are refused; the former ones stay')
    }
    return keys
  }
}

function invalid(message: string): OstiaryError {
  return new OstiaryError('ERR_SESSION_KEY_INVALID', message)
}
