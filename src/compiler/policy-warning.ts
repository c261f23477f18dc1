import { objectKey } from '../api/object.ts'
import type { OIDCPlugin, OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { DiagnosticReason } from '../table/reasons.ts'
import { methodsOf } from './policy-client.ts'
import type { PolicyProblem } from './policy-problem.ts'
import type { PolicySecrets } from './policy-secret.ts'

/** Something that an accepted plugin's owner should know. */
export interface PolicyWarning extends PolicyProblem {
  readonly reason: DiagnosticReason
}

/** What each switch gives up. */
const INSECURE: readonly (readonly [field: keyof OIDCPluginSpec, consequence: string])[] = [
  ['insecureAllowHttp', 'tokens, secrets and keys may travel unencrypted'],
  ['insecureSkipTlsVerify', 'anyone on the way can pose as the authorization server'],
  ['insecureSkipSignatureCheck', 'anyone can make a token that passes'],
  ['insecureSkipClaimsCheck', 'expired tokens, and tokens made for others, pass'],
  ['insecureSkipActiveCheck', 'revoked tokens pass'],
  ['insecureSkipNonceCheck', 'a stolen authorization response can be replayed'],
  ['insecureSkipProofKeyForCodeExchange', 'a stolen authorization code can be used'],
]

/** What a plugin is judged beside. */
export interface Surroundings {
  /** Usernames of the plugin's namespace. */
  readonly consumerNames: ReadonlySet<string>
  /** How many processes serve, as far as is known; else 1. */
  readonly replicas: number
}

/** The warnings of a plugin whose spec could be read, in a fixed order. */
export function findWarnings(
  plugin: OIDCPlugin,
  spec: OIDCPluginSpec,
  secrets: PolicySecrets,
  { consumerNames, replicas }: Surroundings,
): PolicyWarning[] {
  return [
    ...insecureWarnings(spec),
    ...rotationWarnings(spec, replicas),
    ...audienceWarnings(spec),
    ...scopeWarnings(spec),
    ...loginTokenWarnings(spec),
    ...consumerWarnings(plugin, spec, consumerNames),
    ...secrets.warnings.map((problem) => ({ ...problem, reason: 'SecretWhitespace' as const })),
  ]
}

function insecureWarnings(spec: OIDCPluginSpec): PolicyWarning[] {
  const found = INSECURE.filter(([field]) => spec[field] === true).map(
    ([field, what]) => [field, what] as const,
  )
  const redis = ['redis.insecureSkipTlsVerify', 'anyone on the way can pose as Redis'] as const
  const all: readonly (readonly [string, string])[] =
    spec.redis?.insecureSkipTlsVerify === true ? [...found, redis] : found
  return all.map(([field, consequence]) => ({
    reason: 'InsecureOption',
    path: `spec.${field}`,
    message: `is true: ${consequence}`,
    remedy: 'Remove the field outside of tests.',
  }))
}

/** Each replica refreshes a session of cookies by itself; a server may take the second one for theft. */
function rotationWarnings(spec: OIDCPluginSpec, replicas: number): PolicyWarning[] {
  const refreshes =
    spec.refreshTokens && spec.scopes.includes('offline_access') && methodsOf(spec).includes('session')
  if (replicas < 2 || !refreshes || spec.sessionStorage === 'redis') return []
  return [
    {
      reason: 'RotationNeedsRedis',
      path: 'spec.sessionStorage',
      message: `is cookie, and each of several replicas may refresh a session: where the authorization server rotates refresh tokens without a grace period, it ends such sessions`,
      remedy:
        'Set sessionStorage: redis, or give rotated refresh tokens a grace period at the authorization server.',
    },
  ]
}

function audienceWarnings(spec: OIDCPluginSpec): PolicyWarning[] {
  const isGiven = spec.audienceRequired !== undefined || (spec.audience?.length ?? 0) > 0
  const takesTokens = methodsOf(spec).some(
    (method) => method !== 'session' && method !== 'authorization_code',
  )
  if (isGiven || !takesTokens) return []
  return [
    {
      reason: 'AudienceNotChecked',
      path: 'spec.audienceRequired',
      message: 'is absent, and so is audience: a token that the issuer made for any other API passes here',
      remedy: 'Set audienceRequired (or audience) to what the tokens of this API name in aud.',
    },
  ]
}

function loginTokenWarnings({ loginAction, loginTokens }: OIDCPluginSpec): PolicyWarning[] {
  if (loginTokens.length === 0 || loginAction !== 'redirect') return []
  return [
    {
      reason: 'InsecureOption',
      path: 'spec.loginTokens',
      message: 'puts tokens into the URL after a login: scripts, logs, histories and Referer fields see them',
      remedy: 'Remove the field: the session lets requests pass without it.',
    },
  ]
}

function scopeWarnings(spec: OIDCPluginSpec): PolicyWarning[] {
  if (!methodsOf(spec).includes('authorization_code') || spec.scopes.includes('openid')) return []
  return [
    {
      reason: 'OpenidScopeMissing',
      path: 'spec.scopes',
      message: 'has no openid: a login gives no ID token and fails',
      remedy: 'Add openid to scopes.',
    },
  ]
}

function consumerWarnings(
  plugin: OIDCPlugin,
  spec: OIDCPluginSpec,
  consumerNames: ReadonlySet<string>,
): PolicyWarning[] {
  if (spec.anonymous === undefined || consumerNames.has(spec.anonymous)) return []
  return [
    {
      reason: 'ConsumerNotFound',
      path: 'spec.anonymous',
      message: `names the consumer ${spec.anonymous}, which does not exist beside ${objectKey(plugin.metadata)}`,
      remedy: 'Create a Consumer of that username in the same namespace.',
    },
  ]
}
