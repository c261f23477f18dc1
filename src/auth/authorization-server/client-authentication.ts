import { ClientSecretPost, None, type ClientAuth } from 'openid-client'
import { nowSeconds, type Clock } from '../../clock.ts'
import type { ClientWithSecret, Refused } from './authorization-server-client.ts'
import { clientAssertion, readAssertionKey, type AssertionKey } from './client-assertion.ts'
import { refusal } from './okta-error.ts'

/**
 * Exactly one form of client authentication (RFC 6749 §2.3: a client must not use more than one, and Okta answers
 * 400 to two): Basic alone in a header, post alone in the body, a signed JWT in the body (RFC 7523), or for `none` the
 * client id alone in the body.
 *
 * A client without id, or without the secret or key that its method needs, is refused here: an empty password would be
 * sent as if it were one.
 */
export function clientAuthentication(client: ClientWithSecret, clock: Clock): ClientAuth | Refused {
  if (client.id === '') return refusal('invalid_client', 'the client id is empty', [])
  if (client.authMethod === 'none') return None()
  if (client.authMethod === 'private_key_jwt') {
    const key = readAssertionKey(client.privateKey ?? '')
    if (key === undefined) return refusal('invalid_client', 'the client has no private key', [])
    return assertion(client, key, clock)
  }
  if (client.secret === undefined || client.secret === '') {
    return refusal('invalid_client', 'the client secret is empty', [])
  }
  if (client.authMethod === 'client_secret_post') return ClientSecretPost(client.secret)
  if (client.authMethod === 'client_secret_basic') return basic(client.id, client.secret)
  return assertion(client, { key: new TextEncoder().encode(client.secret), alg: 'HS256' }, clock)
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Made out to the endpoint that is called, the only one in the metadata: elsewhere the JWT is worth nothing. */
function assertion({ id, assertionAudience }: ClientWithSecret, key: AssertionKey, clock: Clock): ClientAuth {
  // oxlint-disable-next-line typescript/no-misused-promises -- awaited like the library's own PrivateKeyJwt
  return async (server, _client, body) => {
    const endpoint = server.token_endpoint ?? server.introspection_endpoint ?? server.revocation_endpoint
    const audience = assertionAudience ?? endpoint ?? server.issuer
    body.set('client_id', id)
    body.set('client_assertion_type', ASSERTION_TYPE)
    body.set('client_assertion', await clientAssertion(key, id, audience, nowSeconds(clock)))
  }
}

/**
 * RFC 6749 §2.3.1: id and secret form-urlencoded, then Basic. The library escapes `-`, `_` and `.` as well, which
 * servers that forget to decode refuse; this form is as valid and works at both.
 */
function basic(id: string, secret: string): ClientAuth {
  const credentials = Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')
  return (_server, _client, _body, headers) => headers.set('authorization', `Basic ${credentials}`)
}

/** RFC 6749 appendix B. */
function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}
