import type { OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { AuthorizationServer } from '../table/policy.ts'
import { digest } from './digest.ts'
import type { PolicyProblems } from './policy-problem.ts'

const OPENID_SUFFIX = '/.well-known/openid-configuration'
const OAUTH_SUFFIX = '/.well-known/oauth-authorization-server'
const ENDPOINTS = [
  'authorizationEndpoint',
  'tokenEndpoint',
  'introspectionEndpoint',
  'jwksEndpoint',
  'endSessionEndpoint',
  'revocationEndpoint',
  'userinfoEndpoint',
] as const

/**
 * Compiles how the authorization server is reached.
 *
 * @param certificateAuthorities PEM of `caSecretRef`, where it has one.
 */
export function compileServer(
  spec: OIDCPluginSpec,
  certificateAuthorities: string | undefined,
  problems: PolicyProblems,
): AuthorizationServer {
  checkUrl('issuer', spec.issuer, problems)
  if (spec.issuer.includes('?')) {
    problems.add('issuer', 'has a query', 'Give the issuer, or its discovery document, without.')
  }
  const endpoints: { [name in (typeof ENDPOINTS)[number]]?: string } = {}
  for (const name of ENDPOINTS) {
    const url = spec[name]
    if (url === undefined) continue
    checkUrl(name, url, problems)
    endpoints[name] = url
  }
  const server = {
    ...discovery(spec.issuer),
    ...endpoints,
    extraJwksUris: compileExtraKeys(spec, problems),
    missingKeyPauseMs: spec.rediscoveryLifetime * 1000,
    proxy: compileProxy(spec, problems),
    timeoutMs: spec.timeout,
    ...(certificateAuthorities !== undefined && { certificateAuthorities }),
    insecureAllowHttp: spec.insecureAllowHttp ?? false,
    insecureSkipTlsVerify: spec.insecureSkipTlsVerify ?? false,
  }
  return { id: digest(server).slice(0, 32), ...server }
}

/**
 * Takes the issuer apart from a discovery suffix, if it was given with one, and lists the documents to try: the one
 * that was given, then OpenID Connect Discovery §4, then RFC 8414 §3 (whose suffix goes between host and path).
 */
function discovery(given: string): Pick<AuthorizationServer, 'issuer' | 'discoveryUrls'> {
  const issuer = withoutDiscovery(given)
  const parts = /^(https?:\/\/[^/]*)(.*?)\/?$/.exec(issuer)
  const origin = parts?.[1] ?? issuer
  const path = parts?.[2] ?? ''
  const urls = [`${origin}${path}${OPENID_SUFFIX}`, `${origin}${OAUTH_SUFFIX}${path}`]
  return { issuer, discoveryUrls: issuer === given ? urls : [...new Set([given, ...urls])] }
}

function withoutDiscovery(given: string): string {
  for (const suffix of [OPENID_SUFFIX, OAUTH_SUFFIX]) {
    if (given.endsWith(suffix)) return given.slice(0, -suffix.length)
  }
  const inserted = /^(https?:\/\/[^/]+)\/\.well-known\/oauth-authorization-server(\/.*)$/.exec(given)
  return inserted === null ? given : `${inserted[1]}${inserted[2]}`
}

function compileExtraKeys({ extraJwksUris = [] }: OIDCPluginSpec, problems: PolicyProblems): string[] {
  for (const [index, uri] of extraJwksUris.entries()) checkUrl(`extraJwksUris[${index}]`, uri, problems)
  return [...new Set(extraJwksUris)]
}

function compileProxy(
  { httpProxy, httpsProxy, noProxy }: OIDCPluginSpec,
  problems: PolicyProblems,
): AuthorizationServer['proxy'] {
  if (httpProxy !== undefined) checkUrl('httpProxy', httpProxy, problems)
  if (httpsProxy !== undefined) checkUrl('httpsProxy', httpsProxy, problems)
  return {
    ...(httpProxy !== undefined && { httpUrl: httpProxy }),
    ...(httpsProxy !== undefined && { httpsUrl: httpsProxy }),
    ...(noProxy !== undefined && { exempt: noProxy }),
  }
}

/** That it is https, or may be http, is a rule of the schema. */
function checkUrl(field: string, text: string, problems: PolicyProblems): void {
  if (!URL.canParse(text)) problems.add(field, 'is no URL that can be called', 'Give an absolute URL.')
}
