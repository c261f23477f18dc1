import type {
  Answer,
  AuthorizationServerClient,
  AuthorizationCodeGrant,
  ClientCredentialsGrant,
  Introspection,
  IntrospectionRequest,
  KeySet,
  RefreshTokenGrant,
  RevocationRequest,
  ServerMetadata,
  ServerUnavailable,
  TokenSet,
} from '../../src/auth/authorization-server/authorization-server-client.ts'
import type { Claims } from '../../src/auth/decision.ts'
import type { AuthorizationServer } from '../../src/table/policy.ts'

/** What an authorization server that cannot be reached answers to everything. */
export const DOWN: ServerUnavailable = {
  ok: false,
  kind: 'unavailable',
  reason: 'connection refused',
  retryAfterSeconds: 7,
}

/** Answers from functions that a test sets, and counts what it was asked. Everything is down until then. */
export class FakeAuthorizationServerClient implements AuthorizationServerClient {
  readonly keyCalls: (string | undefined)[] = []
  readonly grants: ClientCredentialsGrant[] = []
  readonly introspections: IntrospectionRequest[] = []
  readonly userInfoCalls: string[] = []

  onKeys: (server: AuthorizationServer, missingKeyId?: string) => Answer<KeySet> | Promise<Answer<KeySet>> =
    () => DOWN

  onGrant: (grant: ClientCredentialsGrant) => Answer<TokenSet> | Promise<Answer<TokenSet>> = () => DOWN
  readonly refreshes: RefreshTokenGrant[] = []
  readonly revocations: RevocationRequest[] = []

  onRefresh: (grant: RefreshTokenGrant) => Answer<TokenSet> | Promise<Answer<TokenSet>> = () => DOWN

  onIntrospect: (request: IntrospectionRequest) => Answer<Introspection> | Promise<Answer<Introspection>> =
    () => DOWN

  async metadata(_server: AuthorizationServer): Promise<Answer<ServerMetadata>> {
    return DOWN
  }

  async keys(server: AuthorizationServer, missingKeyId?: string): Promise<Answer<KeySet>> {
    this.keyCalls.push(missingKeyId)
    return await this.onKeys(server, missingKeyId)
  }

  async clientCredentialsGrant(
    _server: AuthorizationServer,
    grant: ClientCredentialsGrant,
  ): Promise<Answer<TokenSet>> {
    this.grants.push(grant)
    return await this.onGrant(grant)
  }

  async authorizationCodeGrant(
    _server: AuthorizationServer,
    _grant: AuthorizationCodeGrant,
  ): Promise<Answer<TokenSet>> {
    return DOWN
  }

  async refreshTokenGrant(_server: AuthorizationServer, grant: RefreshTokenGrant): Promise<Answer<TokenSet>> {
    this.refreshes.push(grant)
    return await this.onRefresh(grant)
  }

  onUserInfo: (accessToken: string) => Answer<Claims> | Promise<Answer<Claims>> = () => DOWN

  async userInfo(_server: AuthorizationServer, accessToken: string): Promise<Answer<Claims>> {
    this.userInfoCalls.push(accessToken)
    return await this.onUserInfo(accessToken)
  }

  async introspect(
    _server: AuthorizationServer,
    request: IntrospectionRequest,
  ): Promise<Answer<Introspection>> {
    this.introspections.push(request)
    return await this.onIntrospect(request)
  }

  async revoke(_server: AuthorizationServer, request: RevocationRequest): Promise<Answer<'revoked'>> {
    this.revocations.push(request)
    return DOWN
  }
}
