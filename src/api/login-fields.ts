import * as z from 'zod'
import { argumentName, text, url } from './field-types.ts'

/** Arguments of an authorization request that the browser may be let choose: none of them changes who answers whom. */
export const CLIENT_ARGUMENTS = [
  'acr_values',
  'audience',
  'display',
  'login_hint',
  'max_age',
  'prompt',
  'resource',
  'ui_locales',
] as const

/** Arguments that Ostiary sets itself, or that would set them in its place. */
export const PROTOCOL_ARGUMENTS: readonly string[] = [
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]

export const LOGIN_TOKENS = ['access_token', 'id_token', 'refresh_token'] as const

/** Fields of an OIDCPlugin that say how logins run and where they end. */
export const loginFields = {
  responseMode: z
    .enum(['query', 'form_post'])
    .default('query')
    .describe('How the authorization server returns the code; form_post needs https, or a loopback address'),
  authorizationQueryArgsNames: z
    .array(argumentName)
    .max(16)
    .optional()
    .describe('Arguments added to the authorization request, such as prompt or acr_values'),
  authorizationQueryArgsValues: z.array(text).max(16).optional().describe('Their values, at the same index'),
  authorizationQueryArgsClient: z
    .array(z.enum(CLIENT_ARGUMENTS))
    .max(CLIENT_ARGUMENTS.length)
    .optional()
    .describe('Arguments copied from the query of the request that starts a login, in place of those above'),
  loginAction: z
    .enum(['redirect', 'response', 'upstream'])
    .default('redirect')
    .describe(
      'After a login: go back to where it began, answer with loginTokens as JSON, or go on as a request to redirectUri, which must be a routed path',
    ),
  loginRedirectUri: url
    .optional()
    .describe('Where loginAction redirect goes. Default: the URL that started the login'),
  loginTokens: z
    .array(z.enum(LOGIN_TOKENS))
    .max(LOGIN_TOKENS.length)
    .default([])
    .describe('Tokens that loginAction response answers with, or redirect puts into the URL'),
  loginRedirectMode: z
    .enum(['fragment', 'query'])
    .default('fragment')
    .describe('Part of the URL that loginAction redirect puts loginTokens into'),
}

/** Fields of an OIDCPlugin that say how people log out. */
export const logoutFields = {
  endSessionEndpoint: url.optional().describe('Replaces the discovered end_session_endpoint'),
  revocationEndpoint: url.optional().describe('Replaces the discovered revocation_endpoint'),
  logoutMethods: z
    .array(z.enum(['DELETE', 'GET', 'POST']))
    .max(3)
    .default(['POST', 'DELETE'])
    .describe('Methods that log out on routes; with GET a link on any site can do it'),
  logoutQueryArg: argumentName.optional().describe('Query argument whose presence logs out'),
  logoutPostArg: argumentName
    .optional()
    .describe('Form field whose presence logs out; read from form-urlencoded bodies of up to 8 KiB'),
  logoutUriSuffix: z
    .string()
    .min(2)
    .max(256)
    .regex(/^\/[^\s?#]+$/, 'must begin with / and hold no ?, # or space')
    .optional()
    .describe('End of a path that logs out'),
  logoutRedirectUri: url
    .optional()
    .describe('Where a logout ends; register it as post-logout redirect URI at the authorization server'),
  logoutRevoke: z.boolean().default(false).describe('Revoke tokens on logout'),
  logoutRevokeAccessToken: z.boolean().default(true).describe('With logoutRevoke: revoke the access token'),
  logoutRevokeRefreshToken: z.boolean().default(true).describe('With logoutRevoke: revoke the refresh token'),
  backchannelLogout: z
    .boolean()
    .optional()
    .describe('Take logout tokens at /oauth2/backchannel_logout; needs Redis. Default: on with Redis'),
  frontchannelLogout: z
    .boolean()
    .optional()
    .describe('Let /oauth2/sign_out with iss and sid end sessions without their cookie; needs Redis'),
}
