import type { OIDCPluginSpec } from '../api/oidc-plugin.ts'
import { HOP_BY_HOP_FIELDS } from '../hop-by-hop-fields.ts'
import type { ClaimHeader, Policy } from '../table/policy.ts'
import { sortedUnique } from './order.ts'
import type { PolicyProblems } from './policy-problem.ts'

/**
 * Never the target of a claim: what frames the message, routes it, or says where it came from. A claim there would let
 * an authorization server, or a user who edits a profile, smuggle requests or forge a client address.
 */
const FORBIDDEN = new Set([
  'host',
  'cookie',
  'set-cookie',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-forwarded-uri',
  'x-forwarded-method',
  ...HOP_BY_HOP_FIELDS,
])

const CREDENTIAL_HEADERS = [
  ['upstreamIdTokenHeader', 'idTokenHeader'],
  ['upstreamIntrospectionHeader', 'introspectionHeader'],
  ['upstreamUserInfoHeader', 'userInfoHeader'],
] as const

type Direction = 'upstream' | 'downstream'

/** Compiles the claims that go into request (`upstream`) or response (`downstream`) headers, in configured order. */
export function compileClaimHeaders(
  spec: OIDCPluginSpec,
  direction: Direction,
  problems: PolicyProblems,
): ClaimHeader[] {
  const headers = writtenHeaders(spec, direction)
  for (const { header, field } of headers) {
    if (isForbidden(header)) {
      problems.add(field, `names ${header}, which no claim may set`, 'Use a header of your own.')
    }
  }
  return headers.map(({ header, path }) => ({ header, path }))
}

/** Reads `upstreamAccessTokenHeader`: a header name, `:bearer` after it for the scheme, or empty for none. */
export function compileAccessTokenHeader(
  spec: OIDCPluginSpec,
  problems: PolicyProblems,
): Policy['accessTokenHeader'] | undefined {
  const [written = '', scheme] = spec.upstreamAccessTokenHeader.split(':')
  const name = normaliseHeaderName(written)
  if (name === '') return undefined
  if (isForbidden(name)) {
    problems.add(
      'upstreamAccessTokenHeader',
      `names ${name}, which cannot carry the token`,
      'Use authorization:bearer, a header name of your own, or "" for none.',
    )
  }
  return { name, bearer: scheme !== undefined }
}

/** Reads `bearerTokenHeaderName`. */
export function compileBearerHeader(spec: OIDCPluginSpec, problems: PolicyProblems): { headerName?: string } {
  if (spec.bearerTokenHeaderName === undefined) return {}
  const headerName = normaliseHeaderName(spec.bearerTokenHeaderName)
  if (isForbidden(headerName)) {
    const remedy = 'Use Authorization or a header name of your own; for a cookie see bearerTokenParamType.'
    problems.add('bearerTokenHeaderName', `names ${headerName}, which cannot carry a token`, remedy)
  }
  return { headerName }
}

/** Reads the headers that tell upstreams more of the credential than its access token. */
export function compileCredentialHeaders(
  spec: OIDCPluginSpec,
  problems: PolicyProblems,
): Pick<Policy, 'idTokenHeader' | 'introspectionHeader' | 'userInfoHeader'> {
  const headers: { [name in 'idTokenHeader' | 'introspectionHeader' | 'userInfoHeader']?: string } = {}
  for (const [field, member] of CREDENTIAL_HEADERS) {
    const name = normaliseHeaderName(spec[field] ?? '')
    if (name === '') continue
    if (isForbidden(name) || name === 'authorization') {
      problems.add(field, `names ${name}, which cannot carry it`, 'Use a header of your own.')
    }
    headers[member] = name
  }
  return headers
}

/**
 * The request headers that upstreams of this plugin trust: taken from every request to a Service that it guards, also
 * where it is not accepted. Authorization is not among them: open routes may carry it.
 */
export function mappedHeaderNames(spec: OIDCPluginSpec): string[] {
  const token = spec.upstreamAccessTokenHeader.split(':')[0] ?? ''
  const more = CREDENTIAL_HEADERS.map(([field]) => spec[field] ?? '')
  return trustedHeaderNames([...writtenHeaders(spec, 'upstream').map(({ header }) => header), token, ...more])
}

/** Header names as they are compared, sorted, without those that are never taken from requests. */
export function trustedHeaderNames(written: readonly string[]): string[] {
  const names = written.map(normaliseHeaderName)
  return sortedUnique(names.filter((name) => name !== '' && name !== 'authorization' && !isForbidden(name)))
}

function writtenHeaders(spec: OIDCPluginSpec, direction: Direction): (ClaimHeader & { field: string })[] {
  const names = spec[`${direction}HeadersNames`] ?? []
  const claims = spec[`${direction}HeadersClaims`] ?? []
  const zipped = names.map((name, index) => ({
    header: normaliseHeaderName(name),
    path: [claims[index] ?? ''],
    field: `${direction}HeadersNames[${index}]`,
  }))
  const nested = (spec[`${direction}Headers`] ?? []).map(({ header, path }, index) => ({
    header: normaliseHeaderName(header),
    path,
    field: `${direction}Headers[${index}].header`,
  }))
  return [...zipped, ...nested]
}

/** Many servers drop underscores, and some read them as dashes: dashes are what is sent. */
function normaliseHeaderName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

function isForbidden(name: string): boolean {
  // What is said of a client's certificate is for the handshake alone to find out.
  const isOfCertificate = name.startsWith('client-cert') || name.startsWith('ssl-client-')
  return FORBIDDEN.has(name) || name.startsWith('content-') || isOfCertificate
}
