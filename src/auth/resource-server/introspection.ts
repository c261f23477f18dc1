import type { Policy } from '../../table/policy.ts'
import type { AuthDependencies, AuthSnapshot } from '../authorize.ts'
import type {
  ClientWithSecret,
  Introspection,
  ServerUnavailable,
} from '../authorization-server/authorization-server-client.ts'
import { claimAt, numericDate } from '../claims.ts'
import { clientWithSecret } from '../client-with-secret.ts'
import type { Claims } from '../decision.ts'
import { rejected, serverRejection, type Judgement } from './judgement.ts'
import {
  authenticationEndMs,
  authenticationProblem,
  namesAudience,
  namesIssuer,
  timeProblem,
} from './registered-claims.ts'
import { areAccessTokenClaims } from './token-kind.ts'

/**
 * Asks the authorization server whether a token is active (RFC 7662), with the policy's own client, and judges the
 * answer: `exp`, `nbf`, `iss` and `aud` where they are present.
 */
export async function introspectToken(
  deps: AuthDependencies,
  snapshot: AuthSnapshot,
  policy: Policy,
  token: string,
): Promise<Judgement> {
  const client = introspectionClient(policy, snapshot)
  if (client === undefined) return NO_CLIENT
  const answer = await deps.authorizationServers.introspect(policy.server, {
    client,
    token,
    hint: policy.introspection.hint,
  })
  if (!answer.ok) return answer.kind === 'refused' ? serverRejection(answer) : answer
  return judge(policy, token, answer.value, deps.clock.now())
}

const NO_CLIENT: ServerUnavailable = {
  ok: false,
  kind: 'unavailable',
  reason: 'the policy has no client, or no secret, to introspect with',
  retryAfterSeconds: 30,
}

function judge(policy: Policy, token: string, { active, claims }: Introspection, nowMs: number): Judgement {
  if (!active && !policy.introspection.insecureSkipActiveCheck) return rejected('inactive_token')
  if (!areAccessTokenClaims(claims)) return rejected('invalid_token', 'not a bearer access token')
  if (!policy.verification.insecureSkipClaimsCheck) {
    if (claimAt(claims, ['iss']) !== undefined && !namesIssuer(policy, claims))
      return rejected('wrong_issuer')
    if (claimAt(claims, ['aud']) !== undefined && !namesAudience(policy, claims))
      return rejected('wrong_audience')
    const now = Math.floor(nowMs / 1000)
    const reason = timeProblem(policy, claims, now, false) ?? authenticationProblem(policy, claims, now)
    if (reason !== undefined) return rejected(reason)
  }
  const reusableUntilMs = policy.introspection.cache ? reusableUntil(policy, claims, nowMs) : 0
  const introspection = { active, ...claims }
  return { ok: true, accepted: { method: 'introspection', token, claims, introspection, reusableUntilMs } }
}

/**
 * Until the answer's own expiry, and never longer than the policy's time: for that long a token that was revoked goes
 * on, so that its owner's seconds must hold whatever the authorization server says.
 */
function reusableUntil(policy: Policy, claims: Claims, nowMs: number): number {
  const { ttlSeconds, maximumTtlSeconds = ttlSeconds } = policy.cache
  const expiry = numericDate(claims, 'exp')
  const expiryMs = expiry === undefined || Number.isNaN(expiry) ? Number.POSITIVE_INFINITY : expiry * 1000
  const keptMs = Math.min(ttlSeconds, maximumTtlSeconds) * 1000
  return Math.min(expiryMs, nowMs + keptMs, authenticationEndMs(policy, claims))
}

/** The policy's client for the introspection endpoint; `undefined` where it has none or its secret is gone. */
export function introspectionClient(policy: Policy, snapshot: AuthSnapshot): ClientWithSecret | undefined {
  return clientWithSecret(policy, snapshot, 'introspectionEndpointAuthMethod')
}
