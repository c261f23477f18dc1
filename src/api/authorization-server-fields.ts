import * as z from 'zod'
import { argumentName, secretReference, text, url } from './field-types.ts'

/** Arguments of a token request that Ostiary sets itself. */
export const TOKEN_ARGUMENTS: readonly string[] = [
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'client_secret',
  'code',
  'code_verifier',
  'grant_type',
  'redirect_uri',
  'refresh_token',
  'scope',
]

/** Fields of an OIDCPlugin that say how the authorization server is called, beside its endpoints. */
export const authorizationServerFields = {
  clientKeySecretRef: secretReference
    .optional()
    .describe(
      'Secret with the private key of private_key_jwt: a PKCS#8 PEM, or a JWK, whose kid and alg are sent; the default key is privateKey. RSA keys sign RS256, EC keys ES256 to ES512 by their curve, Ed25519 keys EdDSA',
    ),
  clientAssertionAudience: text
    .optional()
    .describe(
      'aud of the JWTs of private_key_jwt and client_secret_jwt. Default: the URL of the endpoint that is called, as Okta wants it; some servers want their issuer',
    ),
  userinfoEndpoint: url.optional().describe('Replaces the discovered userinfo endpoint'),
  extraJwksUris: z
    .array(url)
    .min(1)
    .max(8)
    .optional()
    .describe("Further key sets, trusted like the issuer's own; see issuersAllowed"),
  rediscoveryLifetime: z
    .int()
    .min(1)
    .max(86_400)
    .default(30)
    .describe('Least seconds between two fetches of the keys because a token names an unknown one'),
  tokenPostArgsNames: z
    .array(argumentName)
    .max(16)
    .optional()
    .describe('Arguments added to requests at the token endpoint, such as resource'),
  tokenPostArgsValues: z.array(text).max(16).optional().describe('Their values, at the same index'),
  httpProxy: url
    .optional()
    .describe(
      'Proxy for http:// endpoints of the authorization server. Default: HTTP_PROXY of the controller',
    ),
  httpsProxy: url.optional().describe('Proxy for https:// endpoints. Default: HTTPS_PROXY of the controller'),
  noProxy: z
    .array(
      z
        .string()
        .max(253)
        .regex(/^[A-Za-z0-9.:*_[\]-]+$/, 'must be a host, a .domain, or "*"'),
    )
    .max(64)
    .optional()
    .describe('Hosts that are called without a proxy; "*" is all. Default: NO_PROXY of the controller'),
}
