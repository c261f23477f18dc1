import type { Answer, ServerMetadata } from '../auth/authorization-server/authorization-server-client.ts'
import { tokenEndpointClient } from '../auth/relying-party/client-with-secret.ts'
import { introspectionClient } from '../auth/resource-server/introspection.ts'
import { failed, ok, skipped, warning, type Finding } from './finding.ts'
import type { AdvisedSubject, DoctorDependencies } from './subject.ts'

/** Sent as a token and as a code: worth nothing anywhere, and it tells in a server's log who asked. */
const MADE_UP = 'made-up-by-ostiary-doctor'

/**
 * Whether the server takes the plugin's own client, at each endpoint where it will be used. Nothing is issued and
 * nothing is used up: a made-up token is introspected (RFC 7662 §2.2: inactive, once the client is accepted), and a
 * made-up code is redeemed (RFC 6749 §5.2: invalid_grant, once the client is accepted).
 */
export async function checkClient(
  subject: AdvisedSubject,
  metadata: ServerMetadata,
  dependencies: Pick<DoctorDependencies, 'authorizationServers'>,
): Promise<readonly Finding[]> {
  const { client } = subject.policy
  if (client === undefined) return [skipped('client', 'the plugin has none of its own: callers bring theirs')]
  const findings = [
    await atIntrospection(subject, metadata, dependencies),
    await atTokenEndpoint(subject, metadata, dependencies),
  ].filter((finding) => finding !== undefined)
  if (findings.length > 0) return findings
  return [skipped('client', 'the server has no endpoint at which it can be tried')]
}

async function atIntrospection(
  { policy, snapshot, advice }: AdvisedSubject,
  metadata: ServerMetadata,
  { authorizationServers }: Pick<DoctorDependencies, 'authorizationServers'>,
): Promise<Finding | undefined> {
  const isUsed = policy.methods.includes('introspection')
  if (metadata.introspectionEndpoint === undefined) {
    if (!isUsed) return undefined
    return failed('client', 'the server names no introspection endpoint', advice.introspectionEndpoint)
  }
  const client = introspectionClient(policy, snapshot)
  if (client === undefined) return failed('client', 'its secret is not there', advice.client)
  const request = { client, token: MADE_UP, hint: policy.introspection.hint }
  const answer = await authorizationServers.introspect(policy.server, request)
  if (answer.ok) return ok('client', `${client.id} is accepted at the introspection endpoint`)
  // Where introspection is not used, a server that keeps it from this client is none of our business.
  if (!isUsed && !(answer.kind === 'refused' && answer.error === 'invalid_client')) return undefined
  return failed('client', `the introspection endpoint: ${textOf(answer)}`, advice.client)
}

async function atTokenEndpoint(
  { policy, snapshot, advice }: AdvisedSubject,
  metadata: ServerMetadata,
  { authorizationServers }: Pick<DoctorDependencies, 'authorizationServers'>,
): Promise<Finding | undefined> {
  if (!policy.methods.includes('authorization_code')) return undefined
  const client = tokenEndpointClient(policy, snapshot)
  if (client === undefined) return failed('client', 'its secret is not there', advice.client)
  const redirectUri = policy.authorizationCode.redirectUri ?? 'https://ostiary.invalid/oauth2/callback'
  const callback = new URL(redirectUri)
  callback.search = new URLSearchParams({
    code: MADE_UP,
    state: MADE_UP,
    ...(metadata.issParameterSupported && { iss: metadata.issuer }),
  }).toString()
  const answer = await authorizationServers.authorizationCodeGrant(policy.server, {
    client,
    callbackUrl: callback.href,
    redirectUri,
    state: MADE_UP,
    codeVerifier: MADE_UP.repeat(2),
    leewaySeconds: policy.verification.leewaySeconds,
  })
  if (answer.ok) return ok('client', `${client.id} is accepted at the token endpoint`)
  if (answer.kind === 'unavailable') return failed('client', answer.reason, advice.client)
  return judgeRefusal(answer.error, client.id, textOf(answer), advice)
}

function judgeRefusal(
  error: string,
  clientId: string,
  text: string,
  advice: AdvisedSubject['advice'],
): Finding {
  if (error === 'invalid_grant') return ok('client', `${clientId} is accepted at the token endpoint`)
  if (error === 'invalid_client') return failed('client', `the token endpoint: ${text}`, advice.client)
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type') {
    return failed('client', `the token endpoint: ${text}`, advice.grantType('authorization_code'))
  }
  return warning('client', `it cannot be told at the token endpoint: ${text}`, advice.client)
}

/** What a server said in place of an answer. */
export function textOf(answer: Exclude<Answer<unknown>, { readonly ok: true }>): string {
  if (answer.kind === 'unavailable') return answer.reason
  return answer.description === undefined ? answer.error : `${answer.error} (${answer.description})`
}
