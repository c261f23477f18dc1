import { importJWK } from 'jose'
import type { Policy } from '../table/policy.ts'
import { oktaServer } from './advice.ts'
import { failed, ok, skipped, warning, type Finding } from './finding.ts'
import type { AdvisedSubject, DoctorDependencies } from './subject.ts'

const NEEDS_KEYS = new Set(['bearer', 'client_credentials', 'authorization_code'])

/** Whether the keys that tokens are verified with are there, and usable. */
export async function checkKeys(
  { policy, advice }: AdvisedSubject,
  { authorizationServers }: Pick<DoctorDependencies, 'authorizationServers'>,
): Promise<Finding> {
  if (!policy.methods.some((method) => NEEDS_KEYS.has(method))) {
    return skipped('keys', 'none is needed: tokens are introspected')
  }
  const answer = await authorizationServers.keys(policy.server)
  if (!answer.ok) return failed('keys', answer.kind === 'refused' ? answer.error : answer.reason, advice.keys)
  const usable = await Promise.all(answer.value.keys.map((key) => isUsable(key)))
  const count = usable.filter(Boolean).length
  if (count === 0) return failed('keys', `none of ${usable.length} keys can verify a signature`, advice.keys)
  if (hidesItsKeys(policy)) {
    const found = "Okta's org authorization server does not publish the keys of its access tokens"
    return warning('keys', found, advice.keys)
  }
  return ok('keys', `${count} of ${usable.length} can verify signatures`)
}

async function isUsable(key: Readonly<Record<string, unknown>>): Promise<boolean> {
  if (key['use'] !== undefined && key['use'] !== 'sig') return false
  try {
    await importJWK({ ...key, kty: String(key['kty']) }, algorithmOf(key))
    return true
  } catch {
    return false
  }
}

function algorithmOf({ alg, kty }: Readonly<Record<string, unknown>>): string {
  if (typeof alg === 'string') return alg
  if (kty === 'RSA') return 'RS256'
  return kty === 'EC' ? 'ES256' : 'EdDSA'
}

function hidesItsKeys(policy: Policy): boolean {
  const server = oktaServer(policy.server.issuer)
  if (server === undefined || server.id !== undefined) return false
  const byItself = policy.methods.includes('bearer') || policy.methods.includes('client_credentials')
  return byItself && !policy.introspection.introspectJwtTokens
}
