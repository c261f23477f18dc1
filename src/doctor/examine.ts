import { adviceFor } from './advice.ts'
import { checkClient } from './check-client.ts'
import { checkClock } from './check-clock.ts'
import { checkDiscovery, discoveryDocument, type DiscoveryAnswers } from './check-discovery.ts'
import { tryGrant } from './check-grant.ts'
import { checkKeys } from './check-keys.ts'
import { checkMembership } from './check-membership.ts'
import { checkRedirectUris } from './check-redirect-uri.ts'
import { checkScopes } from './check-scopes.ts'
import { checkTls } from './check-tls.ts'
import { skipped, type Finding } from './finding.ts'
import type { DoctorDependencies, Subject } from './subject.ts'

const NEEDS_DISCOVERY = ['keys', 'client', 'scopes', 'redirect URI', 'groups'] as const

/** Asks the authorization server of an accepted plugin everything that can be asked without signing anybody in. */
export async function examine(
  subject: Subject,
  dependencies: DoctorDependencies,
): Promise<readonly Finding[]> {
  const { tell } = dependencies
  tell('discovery')
  const answers = await discover(subject, dependencies)
  const { server, verification } = subject.policy
  const { metadata } = answers
  const advice = adviceFor(subject.policy, metadata.ok ? metadata.value : undefined)
  const first = answers.asked[0]?.answer
  const reached = [
    checkDiscovery(answers, advice),
    checkTls(server, first),
    checkClock(first, verification.leewaySeconds),
  ]
  if (!metadata.ok) {
    return [...reached, ...NEEDS_DISCOVERY.map((check) => skipped(check, 'not looked at: discovery failed'))]
  }
  const advised = { ...subject, advice }
  const document = discoveryDocument(answers)
  tell('keys')
  const keys = await checkKeys(advised, dependencies)
  tell('client')
  const client = await checkClient(advised, metadata.value, dependencies)
  tell('client credentials')
  const grant = await tryGrant(advised, dependencies)
  tell('redirect URIs')
  const login = await checkRedirectUris(advised, metadata.value, dependencies)
  const isScopeTold = grant.findings.length > 0 && login.errors.length === 0
  return [
    ...reached,
    keys,
    ...client,
    ...(isScopeTold ? [] : [checkScopes(advised, document, login.errors)]),
    ...grant.findings,
    ...login.findings,
    checkMembership('groups', advised, document, grant.claims),
    ...(subject.policy.requirements.roles ? [checkMembership('roles', advised, document, grant.claims)] : []),
  ]
}

/** All discovery URLs are asked, so that the one that fails first can be told about. */
async function discover(
  { policy }: Subject,
  { ask, authorizationServers }: DoctorDependencies,
): Promise<DiscoveryAnswers> {
  const { server } = policy
  const asked: { url: string; answer: DiscoveryAnswers['asked'][number]['answer'] }[] = []
  for (const url of server.discoveryUrls) {
    const answer = await ask(url, 'application/json')
    asked.push({ url, answer })
    if (answer.ok && answer.status === 200) break
  }
  return { server, asked, metadata: await authorizationServers.metadata(server) }
}
