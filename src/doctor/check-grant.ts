import { decodeJwt } from 'jose'
import type { Refused, TokenSet } from '../auth/authorization-server/authorization-server-client.ts'
import { scopesWithoutUser } from '../auth/client-credentials.ts'
import { claimAt } from '../auth/claims.ts'
import type { Claims } from '../auth/decision.ts'
import { tokenEndpointClient } from '../auth/relying-party/client-with-secret.ts'
import { namesAudience } from '../auth/resource-server/registered-claims.ts'
import { textOf } from './check-client.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import { printable } from './printable.ts'
import type { AdvisedSubject, DoctorDependencies } from './subject.ts'

/** What a client-credentials grant of the plugin's own client showed. */
export interface GrantOutcome {
  readonly findings: readonly Finding[]
  /** Claims of the token that was issued, where it is a JWT. Not verified. */
  readonly claims?: Claims
}

/**
 * Asks for a token as callers' clients will, but with the plugin's own client, where it has a secret and the plugin
 * has that flow. A client that may not use the grant says nothing about the callers', so then nothing is found.
 */
export async function tryGrant(
  { policy, snapshot, advice }: AdvisedSubject,
  { authorizationServers }: Pick<DoctorDependencies, 'authorizationServers'>,
): Promise<GrantOutcome> {
  const client = tokenEndpointClient(policy, snapshot)
  if (
    !policy.methods.includes('client_credentials') ||
    client === undefined ||
    client.authMethod === 'none'
  ) {
    return { findings: [] }
  }
  const scopes = scopesWithoutUser(policy)
  const grant = { client, scopes, audience: policy.audience }
  const answer = await authorizationServers.clientCredentialsGrant(policy.server, grant)
  if (!answer.ok) {
    return { findings: answer.kind === 'refused' ? judgeRefusal(answer, scopes, advice) : [] }
  }
  const claims = claimsOf(answer.value)
  return {
    findings: [
      ok('scopes', `granted to ${client.id} by client credentials: ${granted(answer.value, scopes)}`),
      checkAudience(policy, claims, advice),
    ],
    ...(claims && { claims }),
  }
}

function judgeRefusal(
  refused: Refused,
  scopes: readonly string[],
  advice: AdvisedSubject['advice'],
): readonly Finding[] {
  const found = `the token endpoint: ${textOf(refused)}`
  if (refused.error === 'invalid_scope') {
    return [failed('scopes', found, advice.scopes(scopes.length === 0 ? ['(none is asked for)'] : scopes))]
  }
  return refused.error === 'access_denied' ? [failed('scopes', found, advice.accessPolicy)] : []
}

function granted({ scope }: TokenSet, asked: readonly string[]): string {
  const scopes = scope ?? asked.join(' ')
  return scopes === '' ? 'none was asked for' : printable(scopes)
}

function checkAudience(
  policy: AdvisedSubject['policy'],
  claims: Claims | undefined,
  advice: AdvisedSubject['advice'],
): Finding {
  if (policy.verification.audiences.length === 0) return skipped('audience', 'the plugin asks for none')
  if (claims === undefined) return skipped('audience', 'the token is no JWT')
  const named = printable(String(claimAt(claims, ['aud'])))
  if (namesAudience(policy, claims)) return ok('audience', `tokens are for ${named}`)
  const wanted = policy.verification.audiences.join(' or ')
  return failed('audience', `tokens are for ${named}, and the plugin asks for ${wanted}`, advice.audience)
}

function claimsOf({ accessToken }: TokenSet): Claims | undefined {
  try {
    return decodeJwt(accessToken)
  } catch {
    return undefined
  }
}
