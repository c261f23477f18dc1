import { redirectUriFor } from '../auth/relying-party/redirect-uri.ts'
import type { RequestFacts } from '../auth/request-facts.ts'
import type { Policy } from '../table/policy.ts'
import type { RoutingTable } from '../table/routing-table.ts'

/** The redirect URI of one host. */
export interface RedirectUriCandidate {
  /** One of them has to be registered: where the Ingress has no TLS, both http and https are thinkable. */
  readonly anyOf: readonly [string, ...string[]]
}

/**
 * The redirect URIs that logins of a policy will use, as far as the routing table tells: not for wildcard hosts and
 * routes without a host, and not for ports, which only a request knows.
 *
 * @param pageUrl An address behind the plugin, as people have it; tells what the table cannot.
 */
export function redirectUriCandidates(
  table: RoutingTable,
  policy: Policy,
  pageUrl?: URL,
): readonly RedirectUriCandidate[] {
  if (!policy.methods.includes('authorization_code')) return []
  const hosts = table.virtualHosts
    .filter(({ host, loginPolicies }) => loginPolicies.includes(policy.id) && isName(host))
    .map(({ host }) => host)
  const found: (readonly [string, ...string[]])[] =
    pageUrl === undefined
      ? hosts.map((host) => candidatesOf(policy, host, isServedOverTls(table, host)))
      : [[redirectUriAt(policy, pageUrl.protocol === 'https:' ? 'https' : 'http', pageUrl.host)]]
  const configured = policy.authorizationCode.redirectUri
  if (configured !== undefined) found.unshift([configured])
  const distinct = new Map(found.map((anyOf) => [anyOf.join(' '), { anyOf }]))
  return [...distinct.values()]
}

function candidatesOf(policy: Policy, host: string, isTls: boolean): readonly [string, ...string[]] {
  const https = redirectUriAt(policy, 'https', host)
  const http = redirectUriAt(policy, 'http', host)
  return isTls || http === https ? [https] : [https, http]
}

function redirectUriAt(policy: Policy, scheme: RequestFacts['scheme'], authority: string): string {
  const host = authority.replace(/:\d+$/, '')
  const facts: RequestFacts = {
    method: 'GET',
    scheme,
    host,
    authority,
    target: '/',
    path: '/',
    query: '',
    headers: {},
    clientAddress: '',
    form: async () => undefined,
  }
  return redirectUriFor(policy, facts).uri
}

function isName(host: string): boolean {
  return host !== '' && !host.startsWith('*')
}

function isServedOverTls({ serverNames }: RoutingTable, host: string): boolean {
  const wildcard = `*${host.slice(host.indexOf('.'))}`
  return serverNames.some(({ name }) => name === host || name === wildcard)
}
