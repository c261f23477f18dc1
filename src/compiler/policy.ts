import { objectKey } from '../api/object.ts'
import type { OIDCPlugin, OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { Policy } from '../table/policy.ts'
import { digest } from './digest.ts'
import { compileClient, methodsOf } from './policy-client.ts'
import {
  compileAccessTokenHeader,
  compileClaimHeaders,
  compileBearerHeader,
  compileCredentialHeaders,
} from './policy-header.ts'
import { compileAuthorizationCode, compileLogout } from './policy-login.ts'
import type { PolicyProblems } from './policy-problem.ts'
import { acceptedAudiences, compileRequirements } from './policy-requirement.ts'
import type { PolicySecrets } from './policy-secret.ts'
import { compileServer } from './policy-server.ts'
import { compileSession } from './policy-session.ts'

/**
 * Compiles an OIDCPlugin's spec into a policy. What is wrong is added to `problems`; the policy must not be used then.
 */
export function compilePolicy(
  { metadata }: OIDCPlugin,
  spec: OIDCPluginSpec,
  secrets: PolicySecrets,
  problems: PolicyProblems,
): Policy {
  const server = compileServer(spec, secrets.certificateAuthorities, problems)
  const client = compileClient(spec, secrets)
  const owner = { namespace: metadata.namespace, issuer: server.issuer, clientId: spec.clientId }
  const accessTokenHeader = compileAccessTokenHeader(spec, problems)
  const policy: Omit<Policy, 'revision'> = {
    id: objectKey(metadata),
    namespace: metadata.namespace,
    methods: methodsOf(spec),
    server,
    ...(client && { client }),
    scopes: spec.scopes,
    audience: spec.audience ?? [],
    tokenArguments: compileTokenArguments(spec),
    ...compileTokenRules(spec, problems),
    ...compileCredentialPlaces(spec, problems),
    reverifiesSessions: spec.reverify,
    ...(spec.closeUpgradedConnections && { reauthorizesUpgrades: true }),
    ...(spec.searchUserInfo && { userInfo: { cache: spec.cacheUserInfo } }),
    session: compileSession(spec, owner, secrets.redis, problems),
    authorizationCode: compileAuthorizationCode(spec, problems),
    logout: compileLogout(spec),
    identity: { groupsClaim: spec.groupsClaim, headersPreset: spec.upstreamHeadersPreset !== undefined },
    consumer: compileConsumerRules(spec),
    refusal: compileRefusal(spec),
    hideCredentials: spec.hideCredentials,
    runOnPreflight: spec.runOnPreflight,
    upstreamHeaders: compileClaimHeaders(spec, 'upstream', problems),
    downstreamHeaders: compileClaimHeaders(spec, 'downstream', problems),
    ...(accessTokenHeader && { accessTokenHeader }),
    ...compileCredentialHeaders(spec, problems),
  }
  const revision = `${metadata.uid}:${metadata.generation}:${digest([policy, secrets.stamp])}`
  return { ...policy, revision }
}

function compileTokenRules(
  spec: OIDCPluginSpec,
  problems: PolicyProblems,
): Pick<Policy, 'requirements' | 'verification'> {
  const requirements = compileRequirements(spec, problems)
  return {
    requirements,
    verification: {
      leewaySeconds: spec.leeway,
      audiences: acceptedAudiences(spec, requirements.audience),
      issuers: spec.issuersAllowed ?? [],
      ...(spec.maxAge !== undefined && { maximumAgeSeconds: spec.maxAge }),
      insecureSkipSignatureCheck: spec.insecureSkipSignatureCheck ?? false,
      insecureSkipClaimsCheck: spec.insecureSkipClaimsCheck ?? false,
    },
  }
}

function compileTokenArguments(spec: OIDCPluginSpec): Policy['tokenArguments'] {
  const values = spec.tokenPostArgsValues ?? []
  return (spec.tokenPostArgsNames ?? []).map((name, index) => [name, values[index] ?? ''])
}

function compileCredentialPlaces(
  spec: OIDCPluginSpec,
  problems: PolicyProblems,
): Pick<Policy, 'bearer' | 'introspection' | 'clientCredentials' | 'cache'> {
  return {
    bearer: {
      places: [...new Set(spec.bearerTokenParamType)],
      ...(spec.bearerTokenCookieName !== undefined && { cookieName: spec.bearerTokenCookieName }),
      ...compileBearerHeader(spec, problems),
    },
    introspection: {
      introspectJwtTokens: spec.introspectJwtTokens,
      hint: spec.introspectionHint,
      insecureSkipActiveCheck: spec.insecureSkipActiveCheck ?? false,
      cache: spec.cacheIntrospection,
    },
    clientCredentials: { places: [...new Set(spec.clientCredentialsParamType)], cache: spec.cacheTokens },
    cache: {
      ttlSeconds: spec.cacheTtl,
      ...(spec.cacheTtlMax !== undefined && { maximumTtlSeconds: spec.cacheTtlMax }),
      negativeTtlSeconds: spec.cacheTtlNeg,
    },
  }
}

function compileConsumerRules(spec: OIDCPluginSpec): Policy['consumer'] {
  return {
    claims: spec.consumerClaims ?? [],
    by: [...new Set(spec.consumerBy)],
    optional: spec.consumerOptional,
    ...(spec.anonymous !== undefined && { anonymous: spec.anonymous }),
    credentialClaim: spec.credentialClaim,
    ...(spec.authenticatedGroupsClaim !== undefined && { groupsClaim: spec.authenticatedGroupsClaim }),
  }
}

function compileRefusal(spec: OIDCPluginSpec): Policy['refusal'] {
  const { unauthorizedRedirectUri, forbiddenRedirectUri } = spec
  return {
    unauthorizedMessage: spec.unauthorizedErrorMessage,
    forbiddenMessage: spec.forbiddenErrorMessage,
    ...(unauthorizedRedirectUri !== undefined && { unauthorizedRedirectUri }),
    ...(forbiddenRedirectUri !== undefined && { forbiddenRedirectUri }),
    exposeErrorCode: spec.exposeErrorCode,
    displayErrors: spec.displayErrors,
  }
}
