import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import type { AuthorizationServer } from '../../table/policy.ts'
import { anyAddress, noLocalAddress } from './address-guard.ts'
import { authorizationCodeGrant } from './authorization-code-grant.ts'
import type {
  Answer,
  AuthorizationServerClient,
  ClientCredentialsGrant,
  KeySet,
  RefreshTokenGrant,
  TokenSet,
} from './authorization-server-client.ts'
import { clientCredentialsGrant } from './client-credentials-grant.ts'
import { introspect } from './introspect.ts'
import type { OutboundCall, OutboundDependencies } from './outbound-fetch.ts'
import { refreshTokenGrant } from './refresh-token-grant.ts'
import { revoke } from './revoke.ts'
import type { OutboundProxies } from './server-agent.ts'
import { ServerConnection } from './server-connection.ts'
import { SharedCalls } from './shared-calls.ts'
import { unavailable } from './unavailable.ts'
import { userInfo } from './userinfo.ts'

const MAXIMUM_SERVERS = 1_024
const GRACE_MS = 2_000
/** Below the 30 seconds for which Okta takes a rotated refresh token again. */
const REFRESH_GRACE_MS = 20_000
/** A server that is down is asked again for the same session no sooner. */
const FAILED_REFRESH_GRACE_MS = 5_000

export interface AuthorizationServerClientOptions {
  readonly clock: Clock
  /** Whether loopback, link-local and unspecified addresses may be connected to. */
  readonly allowLoopback: boolean
  /** HTTP proxies of the controller's settings. Default: none. */
  readonly proxies?: OutboundProxies
  /** Sent as User-Agent. */
  readonly userAgent: string
  /** Told of every HTTP call once it is over. */
  readonly onCall?: (call: OutboundCall) => void
}

/** The client that speaks to authorization servers itself. */
export interface DirectAuthorizationServerClient extends AuthorizationServerClient {
  /** How old the keys of each issuer are that are in use: the oldest, where an issuer is reached in several ways. */
  keyAges(): ReadonlyMap<string, number>
  /** The keys in use of a server, by its id; nothing before they were first fetched. Fetches nothing. */
  knownKeys(serverId: string): KeySet | undefined
  /** Lets running calls end and closes all connections. */
  close(): Promise<void>
}

/**
 * Creates the client that runs on the main thread. It keeps connections, metadata and keys of the 1,024 servers last
 * used, and gives identical client-credentials grants that come within two seconds of each other one answer.
 */
export function createAuthorizationServerClient(
  options: AuthorizationServerClientOptions,
): DirectAuthorizationServerClient {
  const { clock, userAgent, proxies, onCall } = options
  const guard = options.allowLoopback ? anyAddress : noLocalAddress
  const dependencies: OutboundDependencies = {
    clock,
    guard,
    userAgent,
    ...(proxies && { proxies }),
    ...(onCall && { onCall }),
  }
  const connections = new LRUCache<string, ServerConnection>({
    max: MAXIMUM_SERVERS,
    dispose: (connection) => void connection.close().catch(() => undefined),
  })
  const grants = new SharedCalls<Answer<TokenSet>>(clock, graceMs)
  const refreshes = new SharedCalls<Answer<TokenSet>>(clock, refreshGraceMs)

  function connectionTo(server: AuthorizationServer): ServerConnection {
    const known = connections.get(server.id)
    if (known) return known
    const created = new ServerConnection(server, dependencies)
    connections.set(server.id, created)
    return created
  }

  /** Nothing below rejects but by a mistake of ours, and that refuses a request and no more. */
  async function answering<T>(
    server: AuthorizationServer,
    act: (connection: ServerConnection) => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    try {
      return await act(connectionTo(server))
    } catch {
      return unavailable(`asking ${server.issuer} failed unexpectedly`)
    }
  }

  return {
    metadata: (server) =>
      answering(server, async (connection) => {
        const answer = await connection.discovered()
        return answer.ok ? { ok: true, value: answer.value.metadata } : answer
      }),
    keys: (server, missingKeyId) => answering(server, (connection) => connection.keys(missingKeyId)),
    clientCredentialsGrant: (server, grant) =>
      grants.run(grantQuestion(server, grant), () =>
        answering(server, (connection) => clientCredentialsGrant(connection, grant)),
      ),
    authorizationCodeGrant: (server, grant) =>
      answering(server, (connection) => authorizationCodeGrant(connection, grant, clock)),
    refreshTokenGrant: (server, grant) =>
      refreshes.run(refreshQuestion(server, grant), () =>
        answering(server, (connection) => refreshTokenGrant(connection, grant, clock)),
      ),
    userInfo: (server, accessToken) => answering(server, (connection) => userInfo(connection, accessToken)),
    introspect: (server, request) => answering(server, (connection) => introspect(connection, request)),
    revoke: (server, request) => answering(server, (connection) => revoke(connection, request)),
    keyAges: () => keyAgesSeconds(connections.values(), clock.now()),
    knownKeys: (serverId) => connections.peek(serverId)?.knownKeys,
    close: async () => {
      await Promise.all([...connections.values()].map((connection) => connection.close()))
    },
  }
}

function keyAgesSeconds(connections: Iterable<ServerConnection>, nowMs: number): Map<string, number> {
  const ages = new Map<string, number>()
  for (const { server, keysFetchedAtMs } of connections) {
    if (keysFetchedAtMs === undefined) continue
    const seconds = Math.max(0, (nowMs - keysFetchedAtMs) / 1000)
    ages.set(server.issuer, Math.max(seconds, ages.get(server.issuer) ?? 0))
  }
  return ages
}

function grantQuestion(
  server: AuthorizationServer,
  { client, scopes, audience, tokenArguments = [] }: ClientCredentialsGrant,
): unknown {
  return [server.id, client, scopes, audience, tokenArguments]
}

/** A token is kept no longer than it lives; an outage is not kept, so that its end shows at once. */
function graceMs(answer: Answer<TokenSet>): number {
  if (answer.ok) return Math.min(GRACE_MS, (answer.value.expiresInSeconds ?? GRACE_MS) * 1000)
  return answer.kind === 'refused' ? GRACE_MS : 0
}

function refreshQuestion(
  server: AuthorizationServer,
  { client, session, refreshToken }: RefreshTokenGrant,
): unknown {
  return [server.id, client, session.realm, session.id, refreshToken]
}

/** Who still holds the old refresh token must get this answer, or loses the session where the server has no grace. */
function refreshGraceMs(answer: Answer<TokenSet>): number {
  if (answer.ok) {
    const lifetimeSeconds = answer.value.expiresInSeconds ?? Number.POSITIVE_INFINITY
    return Math.min(REFRESH_GRACE_MS, lifetimeSeconds * 1000)
  }
  if (answer.kind === 'refused') return REFRESH_GRACE_MS
  return Math.min(FAILED_REFRESH_GRACE_MS, answer.retryAfterSeconds * 1000)
}
