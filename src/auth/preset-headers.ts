import type { Policy } from '../table/policy.ts'
import { firstClaim, type ClaimSources } from './claims.ts'
import type { HeaderList } from './decision.ts'
import { claimText } from './header-value.ts'
import { isTokenText } from './resource-server/jwt.ts'

/** oauth2-proxy's names for what it tells upstreams (`pass-user-headers`) and who asks it (`set-xauthrequest`). */
const PREFIXES = ['x-auth-request-', 'x-forwarded-']
const ACCESS_TOKEN = 'access-token'

/**
 * The headers of `upstreamHeadersPreset: x-auth-request`, which applications behind oauth2-proxy read. Empty where the
 * policy has no preset.
 */
export function presetHeaders(policy: Policy, sources: ClaimSources, accessToken: string): HeaderList {
  if (!policy.identity.headersPreset) return NO_HEADERS
  const claims: readonly (readonly [name: string, path: readonly string[]])[] = [
    ['user', ['sub']],
    ['email', ['email']],
    ['groups', policy.identity.groupsClaim],
    ['preferred-username', ['preferred_username']],
  ]
  const values = claims.map(([name, path]) => [name, claimText(firstClaim(sources, path))] as const)
  const token = isTokenText(accessToken) ? accessToken : undefined
  return PREFIXES.flatMap((prefix) =>
    [...values, [ACCESS_TOKEN, token] as const].flatMap(([name, value]) =>
      value === undefined ? [] : [[`${prefix}${name}`, value] as const],
    ),
  )
}

/**
 * Of an upstream's headers those that `/oauth2/auth` answers with. The access token stays out: a script of the page
 * could read it there, which the session's cookie is kept from.
 */
export function answeredPresetHeaders(policy: Policy, setHeaders: HeaderList): HeaderList {
  if (!policy.identity.headersPreset) return NO_HEADERS
  const [prefix = ''] = PREFIXES
  return setHeaders.filter(([name]) => name.startsWith(prefix) && name !== `${prefix}${ACCESS_TOKEN}`)
}

const NO_HEADERS: HeaderList = []
