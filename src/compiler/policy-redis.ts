import type { OIDCPluginSpec } from '../api/oidc-plugin.ts'
import type { RedisServer } from '../table/policy.ts'
import type { SecretId } from '../table/secret-table.ts'
import { digest } from './digest.ts'

/** A value that a reference leads to. */
export interface ResolvedSecret {
  readonly id: SecretId
  readonly value: string
  /** Changes whenever the value does. */
  readonly stamp: string
}

/** What the references of `redis` lead to. */
export interface RedisSecrets {
  readonly password?: ResolvedSecret
  readonly sentinelPassword?: ResolvedSecret
  readonly certificateAuthorities?: string
  readonly stamps: readonly string[]
}

type Reference = NonNullable<OIDCPluginSpec['clientSecretRef']>

/**
 * Resolves the references of `redis`.
 *
 * @param find Looks a reference up; what leads nowhere is reported there.
 * @param readAuthorities Reads PEM certificates, and reports what is none.
 */
export function resolveRedisSecrets(
  { redis }: OIDCPluginSpec,
  find: (field: string, reference: Reference | undefined, defaultKey: string) => ResolvedSecret | undefined,
  readAuthorities: (field: string, pem: string) => string | undefined,
): RedisSecrets {
  const password = find('redis.passwordSecretRef', redis?.passwordSecretRef, 'password')
  const sentinelPassword = find(
    'redis.sentinelPasswordSecretRef',
    redis?.sentinelPasswordSecretRef,
    'password',
  )
  const authorities = find('redis.caSecretRef', redis?.caSecretRef, 'ca.crt')
  const certificateAuthorities = authorities && readAuthorities('redis.caSecretRef', authorities.value)
  return {
    ...(password && { password }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(certificateAuthorities !== undefined && { certificateAuthorities }),
    stamps: [password, sentinelPassword, authorities].flatMap((each) => each?.stamp ?? []),
  }
}

/** The values of `redis` that go into the secret table. */
export function redisSecretEntries({ password, sentinelPassword }: RedisSecrets): [SecretId, string][] {
  return [password, sentinelPassword].flatMap((each) => (each === undefined ? [] : [[each.id, each.value]]))
}

/** Compiles the Redis of a plugin's sessions; `undefined` where they live in cookies. */
export function compileRedis({ redis }: OIDCPluginSpec, secrets: RedisSecrets): RedisServer | undefined {
  if (redis === undefined) return undefined
  const { sentinelMaster, sentinelUsername } = redis
  const { password, sentinelPassword, certificateAuthorities } = secrets
  const server = {
    nodes: redis.sentinelNodes ?? [{ host: redis.host ?? '', port: redis.port }],
    ...(sentinelMaster !== undefined && {
      sentinel: {
        master: sentinelMaster,
        ...(sentinelUsername !== undefined && { username: sentinelUsername }),
        ...(sentinelPassword && { password: sentinelPassword.id }),
      },
    }),
    database: redis.database,
    ...(redis.username !== undefined && { username: redis.username }),
    ...(password && { password: password.id }),
    prefix: redis.prefix,
    ...(redis.ssl && {
      tls: {
        ...(certificateAuthorities !== undefined && { certificateAuthorities }),
        ...(redis.serverName !== undefined && { serverName: redis.serverName }),
        insecureSkipVerify: redis.insecureSkipTlsVerify ?? false,
      },
    }),
    connectTimeoutMs: redis.connectTimeout,
    readTimeoutMs: redis.readTimeout,
  }
  return { id: digest(server).slice(0, 32), ...server }
}
