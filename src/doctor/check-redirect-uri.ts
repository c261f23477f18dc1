import type { ServerMetadata } from '../auth/authorization-server/authorization-server-client.ts'
import type { Advice } from './advice.ts'
import { askForLogin, type AuthorizationAnswer } from './authorization-request.ts'
import { failed, ok, skipped, warning, type Finding } from './finding.ts'
import type { RedirectUriCandidate } from './redirect-uri-candidates.ts'
import type { AdvisedSubject, DoctorDependencies } from './subject.ts'

/** What the authorization requests showed. */
export interface RedirectUriOutcome {
  readonly findings: readonly Finding[]
  /** OAuth errors that came back to a registered redirect URI: they tell of scopes and policies. */
  readonly errors: readonly string[]
}

/** Whether the redirect URI of each host is registered for the client, where the server tells without a sign-in. */
export async function checkRedirectUris(
  subject: AdvisedSubject,
  metadata: ServerMetadata,
  { ask }: Pick<DoctorDependencies, 'ask'>,
): Promise<RedirectUriOutcome> {
  const { policy, redirectUris } = subject
  if (!policy.methods.includes('authorization_code')) {
    return { findings: [skipped('redirect URI', 'none is needed: nobody signs in')], errors: [] }
  }
  if (metadata.authorizationEndpoint === undefined) {
    const found = 'the server names no authorization endpoint'
    return { findings: [failed('redirect URI', found, subject.advice.authorizationEndpoint)], errors: [] }
  }
  if (redirectUris.length === 0) {
    const found =
      'it cannot be told: no route names a host; pass --url with the address of a page behind the plugin'
    return { findings: [skipped('redirect URI', found)], errors: [] }
  }
  const findings: Finding[] = []
  const errors: string[] = []
  for (const candidate of redirectUris) {
    const answers = await askEach(candidate, (uri) => askForLogin(policy, metadata, uri, ask))
    findings.push(judge(candidate, answers, subject.advice))
    errors.push(...answers.flatMap(({ answer }) => (answer.kind === 'returned' ? [answer.error] : [])))
  }
  return { findings, errors }
}

interface UriAnswer {
  readonly uri: string
  readonly answer: AuthorizationAnswer
}

async function askEach(
  { anyOf }: RedirectUriCandidate,
  askOne: (uri: string) => Promise<AuthorizationAnswer>,
): Promise<readonly UriAnswer[]> {
  const answers: UriAnswer[] = []
  for (const uri of anyOf) {
    const answer = await askOne(uri)
    answers.push({ uri, answer })
    if (answer.kind === 'returned') break
  }
  return answers
}

function judge({ anyOf }: RedirectUriCandidate, answers: readonly UriAnswer[], advice: Advice): Finding {
  const registered = answers.find(({ answer }) => answer.kind === 'returned')
  if (registered !== undefined) return ok('redirect URI', `${registered.uri} is registered`)
  const unavailable = answers.map(({ answer }) => answer).find(({ kind }) => kind === 'unavailable')
  if (unavailable?.kind === 'unavailable') {
    return failed('redirect URI', unavailable.reason, 'Try again; a login meets the same answer.')
  }
  const text = anyOf.join(' or ')
  const refused = answers.map(({ answer }) => answer).find((answer) => isRefusal(answer))
  if (refused === undefined) {
    const found = `whether ${text} is registered cannot be told: the server shows a page to everybody`
    return warning('redirect URI', found, `If sign-in ends at the server: ${advice.redirectUri(anyOf)}`)
  }
  if (refused.kind === 'page' && refused.text.includes('client_id') && !refused.text.includes('redirect')) {
    return failed('redirect URI', 'the authorization endpoint does not know the client', advice.client)
  }
  return failed('redirect URI', `${text} is not registered`, advice.redirectUri(anyOf))
}

function isRefusal(answer: AuthorizationAnswer): boolean {
  return answer.kind === 'page' && answer.status >= 400
}
