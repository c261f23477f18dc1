import type { Answer, TokenSet } from './authorization-server-client.ts'
import { unavailable } from './unavailable.ts'

/**
 * Reads a token endpoint's answer (RFC 6749 §5.1): `access_token` and `token_type` are strings, the type is Bearer
 * in any case, `expires_in` is a number or a numeric string where present. An ID token is taken as it is: not
 * validated here.
 *
 * @param host Names the server in the reason.
 */
export function readTokenAnswer(body: Readonly<Record<string, unknown>>, host: string): Answer<TokenSet> {
  const bad = (what: string) => unavailable(`token endpoint at ${host} answered ${what}`)
  const { access_token: accessToken, token_type: tokenType } = body
  if (typeof accessToken !== 'string' || accessToken === '') return bad('without an access token')
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    return bad('with a token type that is not Bearer')
  }
  const expiresInSeconds = numberOf(body['expires_in'])
  if (Number.isNaN(expiresInSeconds)) return bad('with an expires_in that is no number of seconds')
  return {
    ok: true,
    value: {
      accessToken,
      tokenType: 'Bearer',
      ...(expiresInSeconds !== undefined && { expiresInSeconds }),
      ...text('scope', body['scope']),
      ...text('refreshToken', body['refresh_token']),
      ...text('idToken', body['id_token']),
    },
  }
}

function text<Name extends string>(name: Name, value: unknown): { readonly [name in Name]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [name in Name]: string }) : {}
}

function numberOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? value : Number.NaN
  return typeof value === 'string' && /^\d{1,10}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
}
