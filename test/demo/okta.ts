import { createHash, randomBytes } from 'node:crypto'
import type { AuthorizationServer } from '../../deploy/demo/authorization-server/authorization-server.ts'

/** The answer of a JSON endpoint. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** Credentials as `Authorization: Basic`. */
export function basic(clientId: string, clientSecret: string): Record<string, string> {
  return { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` }
}

export const ORDERS = basic('orders-service', 'orders-secret')
export const OSTIARY = basic('ostiary', 'ostiary-secret')
export const CALLBACK = 'http://localhost:8080/oauth2/callback'

/** Posts a form to an endpoint below `/v1/`. */
export async function post(
  server: AuthorizationServer,
  endpoint: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = new URLSearchParams(form)
  const response = await fetch(`${server.issuer}/v1/${endpoint}`, { method: 'POST', headers, body })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : parse(text) }
}

export async function clientCredentialsToken(server: AuthorizationServer): Promise<string> {
  const form = { grant_type: 'client_credentials', scope: 'orders.read' }
  const { body } = await post(server, 'token', form, ORDERS)
  return String(body['access_token'])
}

export async function introspect(
  server: AuthorizationServer,
  token: string,
): Promise<Record<string, unknown>> {
  return (await post(server, 'introspect', { token }, OSTIARY)).body
}

/** An authorization request of the client `ostiary`, with PKCE. */
export function authorizationRequest(
  server: AuthorizationServer,
  parameters: Readonly<Record<string, string>> = {},
): { url: URL; codeVerifier: string } {
  const codeVerifier = randomBytes(32).toString('base64url')
  const url = new URL(`${server.issuer}/v1/authorize`)
  url.search = new URLSearchParams({
    client_id: 'ostiary',
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  }).toString()
  return { url, codeVerifier }
}

/** Swaps a code for tokens as the client `ostiary`. */
export async function redeem(
  server: AuthorizationServer,
  callback: URL,
  codeVerifier: string,
): Promise<Answer> {
  const code = callback.searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: codeVerifier }
  return post(server, 'token', form, OSTIARY)
}

function parse(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}
