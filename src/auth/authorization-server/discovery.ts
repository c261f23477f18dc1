import type { Clock } from '../../clock.ts'
import type { AuthorizationServer } from '../../table/policy.ts'
import type { Answer, ServerMetadata } from './authorization-server-client.ts'
import { cacheLifetimeMs, type LifetimeBounds } from './cache-lifetime.ts'
import { endpointUrl } from './endpoint-url.ts'
import type { Fetched } from './kept-answer.ts'
import type { JsonResponse, OutboundFetch } from './outbound-fetch.ts'
import { unavailable } from './unavailable.ts'

const LIFETIME: LifetimeBounds = { minimumMs: 300_000, maximumMs: 86_400_000, defaultMs: 3_600_000 }

/** The metadata, and what only this client needs of it. */
export interface DiscoveredServer {
  readonly metadata: ServerMetadata
  /** Why an endpoint that the document names is not in the metadata. */
  readonly problems: Readonly<Partial<Record<EndpointMember, string>>>
}

export type EndpointMember =
  | 'authorizationEndpoint'
  | 'tokenEndpoint'
  | 'introspectionEndpoint'
  | 'userinfoEndpoint'
  | 'jwksUri'
  | 'endSessionEndpoint'
  | 'revocationEndpoint'

const DOCUMENT_MEMBERS: Readonly<Record<EndpointMember, string>> = {
  authorizationEndpoint: 'authorization_endpoint',
  tokenEndpoint: 'token_endpoint',
  introspectionEndpoint: 'introspection_endpoint',
  userinfoEndpoint: 'userinfo_endpoint',
  jwksUri: 'jwks_uri',
  endSessionEndpoint: 'end_session_endpoint',
  revocationEndpoint: 'revocation_endpoint',
}

/**
 * Fetches the server's metadata from the first of its discovery URLs that has a document of this issuer
 * (OpenID Connect Discovery §4.3, RFC 8414 §3.3: `issuer` must be equal, here but for one trailing slash). Once the
 * policy's time-out has gone by, no further URL is tried: the server is slow, not elsewhere.
 */
export async function discover(
  server: AuthorizationServer,
  outbound: OutboundFetch,
  clock: Clock,
): Promise<Answer<Fetched<DiscoveredServer>>> {
  const startedMs = clock.monotonic()
  const reasons: string[] = []
  let retryAfterSeconds: number | undefined
  for (const discoveryUrl of server.discoveryUrls) {
    const answer = await tryDocument(server, discoveryUrl, outbound)
    if (answer.ok) return answer
    reasons.push(answer.kind === 'unavailable' ? answer.reason : answer.error)
    if (answer.kind === 'unavailable') {
      retryAfterSeconds = Math.max(retryAfterSeconds ?? 0, answer.retryAfterSeconds)
    }
    if (clock.monotonic() - startedMs >= server.timeoutMs) break
  }
  return unavailable([...new Set(reasons)].join('; ') || 'the policy has no discovery URL', retryAfterSeconds)
}

async function tryDocument(
  server: AuthorizationServer,
  discoveryUrl: string,
  outbound: OutboundFetch,
): Promise<Answer<Fetched<DiscoveredServer>>> {
  const target = endpointUrl(discoveryUrl, server)
  if ('problem' in target) return unavailable(`the discovery URL ${target.problem}`)
  const answer = await outbound.call({ endpoint: 'discovery', url: target.url, repeatable: true })
  return answer.ok ? judgeDocument(server, target.url, answer.value) : answer
}

function judgeDocument(
  server: AuthorizationServer,
  url: URL,
  { body, headers }: JsonResponse,
): Answer<Fetched<DiscoveredServer>> {
  const issuer = body['issuer']
  if (typeof issuer !== 'string' || !isSameIssuer(issuer, server.issuer)) {
    return unavailable(`discovery document at ${url.host} is not of the issuer ${server.issuer}`)
  }
  const { endpoints, problems } = readEndpoints(server, body)
  const idTokenAlgorithms = strings(body['id_token_signing_alg_values_supported'])
  const document: DiscoveredServer = {
    metadata: {
      issuer,
      ...endpoints,
      codeChallengeMethods: strings(body['code_challenge_methods_supported']),
      issParameterSupported: body['authorization_response_iss_parameter_supported'] === true,
      ...(idTokenAlgorithms.length > 0 && { idTokenAlgorithms }),
    },
    problems,
  }
  const lifetimeMs = cacheLifetimeMs(headers['cache-control'], LIFETIME)
  return { ok: true, value: { document, lifetimeMs } }
}

/**
 * What the policy's endpoint overrides alone make of a server that was never discovered: enough for a login when
 * authorization, token and JWKS endpoint are all given, else `undefined`.
 */
export function overriddenServer(server: AuthorizationServer): DiscoveredServer | undefined {
  const { endpoints, problems } = readEndpoints(server, {})
  if (!endpoints.authorizationEndpoint || !endpoints.tokenEndpoint || !endpoints.jwksUri) return undefined
  const { issuer } = server
  const metadata = { issuer, ...endpoints, codeChallengeMethods: [], issParameterSupported: false }
  return { metadata, problems }
}

/** The endpoint that the policy gives, whatever discovery says. */
export function endpointOverride(server: AuthorizationServer, member: EndpointMember): string | undefined {
  return member === 'jwksUri' ? server.jwksEndpoint : server[member]
}

function isSameIssuer(discovered: string, expected: string): boolean {
  return discovered === expected || `${discovered}/` === expected || discovered === `${expected}/`
}

function readEndpoints(server: AuthorizationServer, body: JsonResponse['body']) {
  const endpoints: Partial<Record<EndpointMember, string>> = {}
  const problems: Partial<Record<EndpointMember, string>> = {}
  for (const member of Object.keys(DOCUMENT_MEMBERS) as EndpointMember[]) {
    const value = endpointOverride(server, member) ?? body[DOCUMENT_MEMBERS[member]]
    if (value === undefined || value === null) continue
    const read = endpointUrl(value, server)
    if ('url' in read) endpoints[member] = read.url.href
    else problems[member] = read.problem
  }
  return { endpoints, problems }
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
