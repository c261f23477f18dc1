import type { Refused, ServerUnavailable } from '../authorization-server/authorization-server-client.ts'
import { sizeOfClaims } from '../claims.ts'
import type { Claims, RefusalReason } from '../decision.ts'
import type { KeyRing } from './key-ring.ts'

/** A token that was accepted, by its signature or by the authorization server's word. */
export interface AcceptedToken {
  readonly method: 'bearer' | 'introspection'
  readonly token: string
  readonly claims: Claims
  /** The introspection endpoint's whole answer, where it was asked. */
  readonly introspection?: Claims
  /** Until then the same bytes need not be judged again; milliseconds since the epoch, 0 for not at all. */
  readonly reusableUntilMs: number
  /** What its signature was verified with; gone with the keys. */
  readonly keys?: { readonly ring: KeyRing; readonly generation: number }
}

/** The credential is not good. */
export interface Rejected {
  readonly ok: false
  readonly kind: 'rejected'
  readonly reason: RefusalReason
  /** For logs; never a credential. */
  readonly detail?: string
}

/** What became of a credential. */
export type Judgement = { readonly ok: true; readonly accepted: AcceptedToken } | Rejected | ServerUnavailable

/**
 * About how many characters of memory an accepted token takes. Claims of a JWT are about as long as itself, and cost more
 * as objects; an introspection answer can be far longer than its token.
 */
export function sizeOfAccepted({ method, claims, token }: AcceptedToken): number {
  return token.length * 3 + (method === 'introspection' ? sizeOfClaims(claims) : 0)
}

/** A rejection. */
export function rejected(reason: RefusalReason, detail?: string): Rejected {
  return { ok: false, kind: 'rejected', reason, ...(detail !== undefined && { detail }) }
}

/**
 * The authorization server's no, as a rejection. Its error code is for logs; its description is left out, since it may
 * repeat what the caller sent.
 */
export function serverRejection(refused: Refused): Rejected {
  const code = /^[A-Za-z0-9_.-]{1,64}$/.test(refused.error) ? refused.error : 'unreadable error code'
  return rejected(refused.error === 'invalid_client' ? 'invalid_client' : 'server_refused', code)
}

/** Whether an accepted token still is, without judging it again. Has old keys asked for in the background. */
export function isReusable(accepted: AcceptedToken, nowMs: number): boolean {
  if (nowMs >= accepted.reusableUntilMs) return false
  if (accepted.keys === undefined) return true
  accepted.keys.ring.refreshIfOld()
  return accepted.keys.generation === accepted.keys.ring.generation
}
