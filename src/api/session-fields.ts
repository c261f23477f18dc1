import * as z from 'zod'
import { on, seconds, secretReference } from './field-types.ts'

const host = z
  .string()
  .max(253)
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?$|^[0-9A-Fa-f:.]+$/,
    'must be a host name or an IP address',
  )
const port = z.int().min(1).max(65_535)
const milliseconds = z.int().min(10).max(60_000)
const userName = z.string().min(1).max(256)

const redis = z.strictObject({
  host: host.optional().describe('Server, where it is one; needed unless sentinelNodes are given'),
  port: port.default(6379).describe('Its port'),
  database: z.int().min(0).max(1023).default(0).describe('Number of the database'),
  username: userName.optional().describe('User of the ACL. Default: the default user'),
  passwordSecretRef: secretReference
    .optional()
    .describe('Secret with its password; the default key is password'),
  prefix: z
    .string()
    .max(64)
    .regex(/^[\x21-\x7e]*$/, 'must be printable, without spaces')
    .default('ostiary:')
    .describe('Put before every key'),
  ssl: z.boolean().default(false).describe('Use TLS, to Sentinels too'),
  serverName: host.optional().describe('Name in the certificate, and sent as SNI. Default: the host'),
  caSecretRef: secretReference
    .optional()
    .describe("Secret with PEM certificates trusted instead of the system's; the default key is ca.crt"),
  insecureSkipTlsVerify: on.describe("Do not verify the server's certificate"),
  sentinelMaster: z.string().min(1).max(128).optional().describe('Name of the master that Sentinels watch'),
  sentinelNodes: z
    .array(
      z.strictObject({
        host: host.describe('A Sentinel'),
        port: port.default(26_379).describe('Its port'),
      }),
    )
    .min(1)
    .max(16)
    .optional()
    .describe('Sentinels that know the master'),
  sentinelUsername: userName.optional().describe('User at the Sentinels'),
  sentinelPasswordSecretRef: secretReference
    .optional()
    .describe('Secret with the password at the Sentinels; the default key is password'),
  connectTimeout: milliseconds.default(2000).describe('Milliseconds to connect'),
  readTimeout: milliseconds.default(2000).describe('Milliseconds to wait for an answer'),
})

/** Fields of an OIDCPlugin that say where sessions are kept, and how long their tokens are used. */
export const sessionFields = {
  sessionStorage: z
    .enum(['cookie', 'redis'])
    .default('cookie')
    .describe('Where sessions live: sealed in cookies, or in Redis, where they can be ended from elsewhere'),
  redis: redis.optional().describe('The Redis that keeps sessions; with sessionStorage: redis'),
  sessionCookieMaxsize: z
    .int()
    .min(1024)
    .max(32_768)
    .default(16_384)
    .describe(
      'Bytes that the cookies of a session may take together; a larger session is refused with a page',
    ),
  refreshTokens: z
    .boolean()
    .default(true)
    .describe(
      'Refresh the tokens of a session where the authorization server gave a refresh token (at Okta: scope offline_access); otherwise a session ends with its access token',
    ),
  refreshLeeway: z
    .int()
    .min(0)
    .max(3600)
    .default(30)
    .describe(
      "Seconds before the access token's expiry when it is refreshed, at most half its life; Kong's leeway does this there",
    ),
  sessionClaimsMaxAge: seconds
    .default(0)
    .describe(
      'Seconds after which the claims of a session are too old: it is refreshed, or ends where it cannot be; 0: as old as the access token',
    ),
}
