import * as z from 'zod'
import { claimPath, headerName } from './field-types.ts'

/** Fields of an OIDCPlugin that say who somebody is, beside Consumers, and what upstreams are told of it. */
export const identityFields = {
  credentialClaim: claimPath
    .default(['sub'])
    .describe('Path to the claim that X-Credential-Identifier tells upstreams where no Consumer is mapped'),
  authenticatedGroupsClaim: claimPath
    .optional()
    .describe(
      "Path to groups for allow-groups and deny-groups where there is no Consumer, or only the anonymous one; upstreams get them in X-Authenticated-Groups, joined by ', '",
    ),
  searchUserInfo: z
    .boolean()
    .default(false)
    .describe(
      'Ask the userinfo endpoint too: its claims count where tokens and introspection answers have none of that name',
    ),
  cacheUserInfo: z
    .boolean()
    .default(true)
    .describe('Keep userinfo answers as long as the access token, at most cacheTtl'),
  upstreamIdTokenHeader: headerName
    .optional()
    .describe('Header for the ID token of a session; the others have none'),
  upstreamIntrospectionHeader: headerName
    .optional()
    .describe('Header for the introspection answer, as JSON in base64'),
  upstreamUserInfoHeader: headerName
    .optional()
    .describe('Header for the userinfo answer, as JSON in base64; needs searchUserInfo'),
}
