import type { Policy, PolicyId } from '../table/policy.ts'
import type { Diagnostics } from './diagnostics.ts'
import { isWithinDomain } from './host.ts'
import { byAge, compareText } from './order.ts'
import type { Attachment, Guard } from './plugin-attachment.ts'
import type { Closing } from './plugin-reference.ts'
import type { Lookup } from './pass-memo.ts'
import type { CompiledPlugin } from './plugins.ts'
import type { PolicyProblem } from './policy-problem.ts'
import type { PathEntry } from './rules.ts'

/** An entry with what guards it. */
export interface AttachedEntry {
  readonly entry: PathEntry
  readonly attachment: Attachment
}

/** A host's logins: what stays of its guards, and whether its reserved paths exist. */
export interface HostLogins {
  /** One for each entry, in their order. */
  readonly guards: readonly Guard[]
  readonly loginPolicies: readonly PolicyId[]
  readonly reservedClosed: boolean
}

/** Why plugins are refused on some hosts, by plugin; filled by `judgeLogins`. */
export type SharingProblems = Map<PolicyId, PolicyProblem[]>

/**
 * Closes the entries of a host whose plugin cannot log anybody in there: its cookie domain is not the host's, or it
 * shares its redirect URI with an older plugin of another issuer. The latter is a mix-up attack's precondition
 * (RFC 9700 §4.4): without knowing whether the servers send RFC 9207 `iss`, which only the network tells, distinct
 * redirect URIs are asked for.
 *
 * @param plugins Oldest first.
 */
export function judgeLogins(
  host: string,
  attached: readonly AttachedEntry[],
  plugins: Lookup<CompiledPlugin>,
  sharing: SharingProblems,
  diagnostics: Diagnostics,
): HostLogins {
  const withinDomain = attached.map(({ entry, attachment: { guard } }) =>
    closeForeignCookies(host, entry, guard, plugins, diagnostics),
  )
  const logins = loginsOf(withinDomain, plugins)
  const refused = refuseSharedRedirects(host, logins, plugins, sharing, diagnostics)
  const guards = withinDomain.map((guard) => closeRefused(guard, refused))
  const loginPolicies = logins.filter(({ id }) => !refused.has(id)).map(({ id }) => id)
  const hasBrokenLogin = attached.some(
    ({ attachment }, index) => attachment.mayLogin && guards[index]?.kind === 'closed',
  )
  return {
    guards,
    loginPolicies: loginPolicies.sort(compareText),
    // With a login that works the paths are reserved anyway, and a broken one beside it must not take them away.
    reservedClosed: loginPolicies.length === 0 && hasBrokenLogin,
  }
}

/** The login policies behind the guards, oldest plugin first. */
function loginsOf(guards: readonly Guard[], plugins: Lookup<CompiledPlugin>): Policy[] {
  const used = new Set(guards.flatMap(policiesOf))
  return [...used]
    .flatMap((id) => plugins.get(id) ?? [])
    .sort((a, b) => byAge(a.plugin, b.plugin))
    .flatMap(({ policy }) => (policy !== undefined && isLogin(policy) ? policy : []))
}

function policiesOf(guard: Guard): readonly PolicyId[] {
  return guard.kind === 'guarded' ? guard.policies : []
}

function isLogin({ methods }: Policy): boolean {
  return methods.includes('authorization_code')
}

/** Browsers drop a cookie whose domain does not cover the host: the login would go in circles. */
function closeForeignCookies(
  host: string,
  entry: PathEntry,
  guard: Guard,
  plugins: Lookup<CompiledPlugin>,
  diagnostics: Diagnostics,
): Guard {
  for (const id of policiesOf(guard)) {
    const policy = plugins.get(id)?.policy
    const domain = policy?.session.cookieDomain
    if (policy === undefined || domain === undefined || !usesCookies(policy)) continue
    if (host !== '' && isWithinDomain(host, domain)) continue
    const place = host === '' ? 'any host' : `host ${host}`
    const message = `OIDCPlugin ${id} has sessionCookieDomain ${domain}, which does not cover ${place}`
    diagnostics.report(entry.ingress, {
      severity: 'error',
      reason: 'CookieDomainMismatch',
      path: entry.place,
      message: `is closed: ${message}`,
      remedy: 'Use the plugin on hosts of that domain only, or remove sessionCookieDomain.',
    })
    return { kind: 'closed', reason: 'CookieDomainMismatch', message: `${message}.` }
  }
  return guard
}

function usesCookies({ methods }: Policy): boolean {
  return methods.includes('session') || methods.includes('authorization_code')
}

/** @param logins Oldest plugin first: the issuer of the first keeps a redirect URI. */
function refuseSharedRedirects(
  host: string,
  logins: readonly Policy[],
  plugins: Lookup<CompiledPlugin>,
  sharing: SharingProblems,
  diagnostics: Diagnostics,
): Map<PolicyId, Closing> {
  const holders = new Map<string, Policy>()
  const refused = new Map<PolicyId, Closing>()
  for (const policy of logins) {
    const redirect = redirectUriOn(host, policy)
    const holder = holders.get(redirect)
    if (holder === undefined) holders.set(redirect, policy)
    if (holder === undefined || sameIssuer(holder, policy)) continue
    const place = host === '' ? 'hosts that no Ingress names' : `host ${host}`
    const problem = {
      path: 'spec.redirectUri',
      message: `is on ${place} the same as that of OIDCPlugin ${holder.id}, which has another issuer`,
      remedy: 'Give each of the two a redirectUri of its own on that host.',
    }
    refused.set(policy.id, { reason: 'PluginInvalid', message: `redirectUri ${problem.message}.` })
    sharing.set(policy.id, [...(sharing.get(policy.id) ?? []), problem])
    const plugin = plugins.get(policy.id)?.plugin
    if (plugin)
      diagnostics.report(plugin, { severity: 'error', reason: 'IssuersShareRedirectUri', ...problem })
  }
  return refused
}

function closeRefused(guard: Guard, refused: ReadonlyMap<PolicyId, Closing>): Guard {
  const closing = policiesOf(guard)
    .map((id) => refused.get(id))
    .find((each) => each !== undefined)
  return closing === undefined ? guard : { kind: 'closed', ...closing }
}

function sameIssuer(a: Policy, b: Policy): boolean {
  return a.server.issuer.replace(/\/$/, '') === b.server.issuer.replace(/\/$/, '')
}

/**
 * The configured redirect URI where it serves the host, else empty for the host's own. On wildcard hosts and for hosts
 * that no Ingress names it is taken for serving them: which of them asks is not known yet.
 */
function redirectUriOn(host: string, { authorizationCode, session }: Policy): string {
  const uri = authorizationCode.redirectUri
  if (uri === undefined) return ''
  if (host === '' || host.startsWith('*.')) return uri
  const target = new URL(uri).hostname
  const domain = session.cookieDomain
  const shares = domain !== undefined && isWithinDomain(target, domain) && isWithinDomain(host, domain)
  return target === host || shares ? uri : ''
}
