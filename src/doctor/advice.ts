import type { ServerMetadata } from '../auth/authorization-server/authorization-server-client.ts'
import type { Policy } from '../table/policy.ts'
import { genericAdvice } from './generic-advice.ts'
import { oktaAdvice } from './okta-advice.ts'

/** The fix for each failure, in the words of the authorization server's own console. */
export interface Advice {
  readonly issuer: string
  readonly keys: string
  /** The client id is unknown, the secret wrong, or the client not active. */
  readonly client: string
  readonly introspectionEndpoint: string
  readonly authorizationEndpoint: string
  /** The client may not use the flow that needs this grant type. */
  grantType(grantType: 'authorization_code' | 'client_credentials'): string
  scopes(scopes: readonly string[]): string
  /** The scopes exist, and a policy refuses them to this client. */
  readonly accessPolicy: string
  readonly audience: string
  redirectUri(uris: readonly string[]): string
  claim(name: string): string
}

/**
 * Recognises the authorization server: Okta by its domains, or by its addresses where it is behind a domain of the
 * customer's own.
 *
 * @param metadata Absent where it could not be discovered.
 */
export function adviceFor(policy: Policy, metadata?: ServerMetadata): Advice {
  const server = oktaServer(policy.server.issuer, metadata)
  return server === undefined ? genericAdvice(policy) : oktaAdvice(policy, server)
}

/** Which of Okta's authorization servers an issuer is. */
export interface OktaServer {
  /** The last part of its address, `default` for one; absent: the org authorization server. */
  readonly id?: string
}

const OKTA_DOMAIN = /(^|\.)((okta|oktapreview|okta-emea|okta-gov)\.com|okta\.mil)$/

/** Okta's authorization server behind this issuer; `undefined` where it is none of Okta's. */
export function oktaServer(issuer: string, metadata?: ServerMetadata): OktaServer | undefined {
  const url = URL.parse(issuer)
  if (url === null) return undefined
  const id = /^\/oauth2\/([\w-]+)\/?$/.exec(url.pathname)?.[1]
  const base = issuer.replace(/\/$/, '')
  const endpoint = metadata?.tokenEndpoint
  const isKnown = OKTA_DOMAIN.test(url.hostname)
  if (id !== undefined) return isKnown || endpoint === `${base}/v1/token` ? { id } : undefined
  if (url.pathname !== '/') return undefined
  return isKnown || endpoint === `${base}/oauth2/v1/token` ? {} : undefined
}
