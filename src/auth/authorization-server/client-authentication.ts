import { ClientSecretPost, None, type ClientAuth } from 'openid-client'
import type { ClientWithSecret, Refused } from './authorization-server-client.ts'
import { refusal } from './okta-error.ts'

/**
 * Exactly one form of client authentication (RFC 6749 §2.3: a client must not use more than one, and Okta answers
 * 400 to two): Basic alone in a header, post alone in the body, or for `none` the client id alone in the body.
 *
 * A client without id, or without the secret that its method sends, is refused here: an empty password would be
 * sent as if it were one.
 */
export function clientAuthentication(client: ClientWithSecret): ClientAuth | Refused {
  if (client.id === '') return refusal('invalid_client', 'the client id is empty', [])
  if (client.authMethod === 'none') return None()
  if (client.secret === undefined || client.secret === '') {
    return refusal('invalid_client', 'the client secret is empty', [])
  }
  return client.authMethod === 'client_secret_post'
    ? ClientSecretPost(client.secret)
    : basic(client.id, client.secret)
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
