import type { OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { SameSite, SessionPolicy } from '../table/policy.ts'
import { digest } from './digest.ts'
import { isDnsName } from './host.ts'
import type { PolicyProblems } from './policy-problem.ts'
import { compileRedis, type RedisSecrets } from './policy-redis.ts'

/** What a realm is made of beside the cookie settings. */
export interface RealmOwner {
  readonly namespace: string
  readonly issuer: string
  readonly clientId: string | undefined
}

/** Compiles the session: its realm, cookie and time limits. */
export function compileSession(
  spec: OIDCPluginSpec,
  owner: RealmOwner,
  secrets: RedisSecrets,
  problems: PolicyProblems,
): SessionPolicy {
  if (/^__(host|secure)-/i.test(spec.sessionCookieName)) {
    problems.add(
      'sessionCookieName',
      'has a cookie prefix',
      'Leave it out: Ostiary puts the right one before it.',
    )
  }
  const cookieDomain = compileDomain(spec, problems)
  const cookie = {
    cookiePath: spec.sessionCookiePath,
    ...(cookieDomain !== undefined && { cookieDomain }),
    sameSite: spec.sessionCookieSameSite,
    alwaysSecure: compileSecure(spec, 'session', spec.sessionCookieSameSite, problems),
  }
  const issuer = owner.issuer.replace(/\/$/, '')
  const redis = compileRedis(spec, secrets)
  // Two stores under one name would each take the other's cookie for garbage and clear it.
  const store =
    redis === undefined ? [] : [[redis.nodes, redis.sentinel?.master, redis.database, redis.prefix]]
  const realm = digest([
    owner.namespace,
    issuer,
    owner.clientId ?? null,
    spec.sessionCookieName,
    cookie,
    ...store,
  ])
  return {
    realm,
    cookieName: `${spec.sessionCookieName}_${realm.slice(0, 8)}`,
    ...cookie,
    rollingTimeoutSeconds: spec.sessionRollingTimeout,
    idlingTimeoutSeconds: spec.sessionIdlingTimeout,
    absoluteTimeoutSeconds: spec.sessionAbsoluteTimeout,
    ...(redis && { redis }),
    cookieMaximumBytes: spec.sessionCookieMaxsize,
    refreshTokens: spec.refreshTokens,
    refreshLeewaySeconds: spec.refreshLeeway,
    claimsMaximumAgeSeconds: spec.sessionClaimsMaxAge,
    allowedOrigins: compileOrigins(spec, problems),
  }
}

/** A single label is nobody's to set cookies for; whether it covers the routes' hosts is judged per route. */
function compileDomain(
  { sessionCookieDomain }: OIDCPluginSpec,
  problems: PolicyProblems,
): string | undefined {
  if (sessionCookieDomain === undefined) return undefined
  const domain = sessionCookieDomain.toLowerCase().replace(/^\./, '')
  if (!isDnsName(domain) || !domain.includes('.')) {
    problems.add(
      'sessionCookieDomain',
      'is no domain that browsers take',
      'Give a DNS name of two labels or more, such as example.com.',
    )
  }
  return domain
}

/** Whether a cookie is Secure over http too. Browsers drop `SameSite=None` without `Secure`. */
export function compileSecure(
  spec: OIDCPluginSpec,
  cookie: 'session' | 'authorization',
  sameSite: SameSite,
  problems: PolicyProblems,
): boolean {
  const secure = spec[`${cookie}CookieSecure`]
  if (sameSite !== 'None') return secure ?? false
  if (secure === false) {
    problems.add(
      `${cookie}CookieSecure`,
      `is false beside ${cookie}CookieSameSite: None, and browsers drop such cookies`,
      'Remove the field, or use SameSite Lax.',
    )
  }
  return true
}

function compileOrigins({ allowedOrigins }: OIDCPluginSpec, problems: PolicyProblems): string[] {
  const origins: string[] = []
  for (const [index, text] of (allowedOrigins ?? []).entries()) {
    const url = URL.parse(text)
    if (url === null || (url.href !== `${url.origin}/` && url.href !== url.origin)) {
      problems.add(`allowedOrigins[${index}]`, 'is no origin', 'Give scheme, host and port only.')
    } else origins.push(url.origin)
  }
  return [...new Set(origins)]
}
