import type {
  AuthorizationServerClient,
  ServerUnavailable,
} from '../auth/authorization-server/authorization-server-client.ts'
import type { AuthorizationServer } from '../table/policy.ts'

/** A client that asks for no more than an explanation may cost. */
export interface CarefulClient extends AuthorizationServerClient {
  /** What it was asked for so far and did not do, each as half a sentence. */
  withheldCalls(): readonly string[]
}

/**
 * Asks what changes nothing that a browser holds: metadata, keys, introspection, userinfo, and tokens for client
 * credentials that came with the request. Each question is asked once. Authorization codes and refresh tokens can be
 * used once only, and a revoked token not at all, so that these are left to the real request.
 *
 * @param isOffline Nothing is asked.
 */
export function createCarefulClient(client: AuthorizationServerClient, isOffline: boolean): CarefulClient {
  const withheld: string[] = []
  const answers = new Map<string, Promise<unknown>>()

  function withhold(what: string): Promise<ServerUnavailable> {
    withheld.push(what)
    return Promise.resolve({ ok: false, kind: 'unavailable', reason: 'not asked', retryAfterSeconds: 1 })
  }

  function ask<T>(what: string, key: unknown, call: () => Promise<T>): Promise<T | ServerUnavailable> {
    if (isOffline) return withhold(what)
    const id = JSON.stringify([what, key])
    let answer = answers.get(id) as Promise<T> | undefined
    answer ??= call()
    answers.set(id, answer)
    return answer
  }

  return {
    withheldCalls: () => [...withheld],
    metadata: (server) => ask(`the metadata of ${name(server)}`, server.id, () => client.metadata(server)),
    keys: (server, id) => ask(`the keys of ${name(server)}`, [server.id, id], () => client.keys(server, id)),
    introspect: (server, request) =>
      ask(`${name(server)} whether the token is active`, [server.id, request], () =>
        client.introspect(server, request),
      ),
    userInfo: (server, token) =>
      ask(`the userinfo endpoint of ${name(server)}`, [server.id, token], () =>
        client.userInfo(server, token),
      ),
    clientCredentialsGrant: (server, grant) =>
      ask(`${name(server)} for a token with the client's credentials`, [server.id, grant], () =>
        client.clientCredentialsGrant(server, grant),
      ),
    authorizationCodeGrant: (server) => withhold(`${name(server)} for tokens with the authorization code`),
    refreshTokenGrant: (server) => withhold(`${name(server)} for new tokens with a refresh token`),
    revoke: (server) => withhold(`${name(server)} to revoke tokens`),
  }
}

function name({ issuer }: AuthorizationServer): string {
  return issuer
}
