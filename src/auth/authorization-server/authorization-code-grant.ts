import {
  AuthorizationResponseError,
  authorizationCodeGrant as openidAuthorizationCodeGrant,
  type Configuration,
} from 'openid-client'
import type { Clock } from '../../clock.ts'
import type {
  Answer,
  AuthorizationCodeGrant,
  Refused,
  ServerUnavailable,
  TokenSet,
} from './authorization-server-client.ts'
import { clientAuthentication } from './client-authentication.ts'
import type { DiscoveredServer } from './discovery.ts'
import { refusal } from './okta-error.ts'
import { openidConfiguration, transportAnswer, type Transport } from './openid-configuration.ts'
import { TEMPORARY_ERRORS } from './outbound-fetch.ts'
import type { ServerConnection } from './server-connection.ts'
import { readTokenAnswer } from './token-answer.ts'
import { unavailable } from './unavailable.ts'
import { algorithmsOf, verifyIdToken } from './verify-id-token.ts'

/**
 * Swaps the code of a callback for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 9207) and verifies the ID token.
 * A callback that does not fit is `invalid_callback`, an ID token that does not hold, or is missing where one is
 * expected, is `invalid_id_token`; the server's own refusals keep their codes.
 */
export async function authorizationCodeGrant(
  connection: ServerConnection,
  grant: AuthorizationCodeGrant,
  clock: Clock,
): Promise<Answer<TokenSet>> {
  const authentication = clientAuthentication(grant.client, connection.clock)
  if (typeof authentication !== 'function') return authentication
  const discovered = await connection.discovered()
  if (!discovered.ok) return discovered
  const endpoint = await connection.endpoint('tokenEndpoint')
  if (!endpoint.ok) return endpoint
  const exchange = new CodeExchange(connection, grant)
  const configuration = openidConfiguration(
    {
      issuer: discovered.value.metadata.issuer,
      token_endpoint: endpoint.value.href,
      authorization_response_iss_parameter_supported: discovered.value.metadata.issParameterSupported,
    },
    grant.client.id,
    authentication,
    exchange.transport,
  )
  const tokens = await exchange.run(configuration)
  return tokens.ok
    ? withIdToken({ connection, grant, clock, discovered: discovered.value }, tokens.value)
    : tokens
}

class CodeExchange {
  readonly #connection: ServerConnection
  readonly #grant: AuthorizationCodeGrant
  #tokens: TokenSet | undefined

  constructor(connection: ServerConnection, grant: AuthorizationCodeGrant) {
    this.#connection = connection
    this.#grant = grant
  }

  get transport(): Transport {
    return {
      outbound: this.#connection.outbound,
      endpoint: 'token',
      // A code is good for one use; sent twice it can revoke what it gave (RFC 6749 §4.1.2).
      repeatable: false,
      // RFC 6749 §4.1.3: identical to the one that was sent, which a parsed and printed URL need not be.
      prepare: (form) => {
        form.set('redirect_uri', this.#grant.redirectUri)
        for (const [name, value] of this.#grant.tokenArguments ?? []) form.append(name, value)
      },
      judge: ({ body }, url) => {
        const answer = readTokenAnswer(body, url.host)
        if (!answer.ok) return answer
        this.#tokens = answer.value
        return { ok: true, value: { access_token: answer.value.accessToken, token_type: 'Bearer' } }
      },
    }
  }

  /** Checks state, `iss` and repeated parameters of the callback, then calls the token endpoint. */
  async run(configuration: Configuration): Promise<Answer<TokenSet>> {
    try {
      await openidAuthorizationCodeGrant(configuration, new URL(this.#grant.callbackUrl), {
        expectedState: this.#grant.state,
        ...(this.#grant.codeVerifier !== undefined && { pkceCodeVerifier: this.#grant.codeVerifier }),
      })
    } catch (error) {
      return transportAnswer(error) ?? this.#callbackFault(error)
    }
    if (this.#tokens) return { ok: true, value: this.#tokens }
    return unavailable('token endpoint was not asked')
  }

  #callbackFault(error: unknown): Refused | ServerUnavailable {
    if (!(error instanceof AuthorizationResponseError)) return refusal('invalid_callback', undefined, [])
    if (TEMPORARY_ERRORS.has(error.error))
      return unavailable(`authorization endpoint answered ${error.error}`)
    return refusal(error.error, error.error_description, [this.#grant.state])
  }
}

interface IdTokenContext {
  readonly connection: ServerConnection
  readonly grant: AuthorizationCodeGrant
  readonly clock: Clock
  readonly discovered: DiscoveredServer
}

async function withIdToken(context: IdTokenContext, tokens: TokenSet): Promise<Answer<TokenSet>> {
  const { connection, grant, clock, discovered } = context
  if (tokens.idToken === undefined) {
    return grant.idTokenExpected === false
      ? { ok: true, value: tokens }
      : refusal('invalid_id_token', 'the token endpoint answered without an ID token', [])
  }
  const claims = await verifyIdToken(tokens.idToken, {
    issuer: discovered.metadata.issuer,
    clientId: grant.client.id,
    ...algorithmsOf(discovered.metadata),
    ...(grant.nonce !== undefined && { nonce: grant.nonce }),
    ...(grant.maximumAgeSeconds !== undefined && { maximumAgeSeconds: grant.maximumAgeSeconds }),
    leewaySeconds: grant.leewaySeconds,
    nowMs: clock.now(),
    keys: (keyId) => connection.keys(keyId),
  })
  return claims.ok ? { ok: true, value: { ...tokens, idTokenClaims: claims.value } } : claims
}
