import type { AuthSnapshot } from '../authorize.ts'
import { open, seal, type SealContext } from '../session/seal.ts'
import type { SessionKeys } from '../session/session-keys.ts'

/** What `state` carries through the authorization server, sealed (RFC 6749 §10.12). */
export interface LoginState {
  /** Random; the flow cookie holds the same, which ties the callback to the browser that began. */
  readonly id: string
  readonly policy: string
  readonly realm: string
  /** Number of the flow cookie. */
  readonly slot: number
  /** Where the login began and returns to: scheme and authority, and the original target. */
  readonly origin: string
  readonly target: string
  readonly expiresAtSeconds: number
  /** This login replaced one that failed; the next failure is final, so that nothing goes in circles. */
  readonly restarted: boolean
}

/** What the browser's flow cookie holds, sealed. */
export interface LoginFlow {
  /** That of the state. */
  readonly id: string
  /** As it was sent, since the token endpoint compares it (RFC 6749 §4.1.3). */
  readonly redirectUri: string
  readonly nonce?: string
  readonly codeVerifier?: string
  /** Id of the session that the browser had and that was not accepted, which is why the login began. */
  readonly refusedSession?: string
}

interface Sealing {
  readonly keys: SessionKeys
  readonly randomBytes: (size: number) => Buffer
}

const STATE: SealContext = { purpose: 'state', realm: '', name: 'state' }
const MAXIMUM_STATE_CHARACTERS = 16_384

/** The `state` parameter; `undefined` without a session key. */
export function sealState(state: LoginState, snapshot: AuthSnapshot, sealing: Sealing): string | undefined {
  return sealJson(state, STATE, snapshot, sealing)
}

/** A state that one of the keys sealed, an expired one too; its realm and policy are for the caller to check. */
export function openState(sealed: string, snapshot: AuthSnapshot, sealing: Sealing): LoginState | undefined {
  if (sealed.length > MAXIMUM_STATE_CHARACTERS) return undefined
  return openJson(sealed, STATE, snapshot, sealing) as LoginState | undefined
}

/** Seals plain data as JSON under the newest session key; `undefined` without one. */
export function sealJson(
  value: object,
  context: SealContext,
  snapshot: AuthSnapshot,
  sealing: Sealing,
): string | undefined {
  const key = sealing.keys.ringOf(snapshot)[0]
  return key && seal(Buffer.from(JSON.stringify(value)), key, context, sealing.randomBytes)
}

/** What `sealJson` sealed in this context, and nothing else. */
export function openJson(
  sealed: string,
  context: SealContext,
  snapshot: AuthSnapshot,
  sealing: Sealing,
): unknown {
  const opened = open(sealed, sealing.keys.ringOf(snapshot), context)
  return opened && JSON.parse(opened.plain.toString('utf8'))
}
