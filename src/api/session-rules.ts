import type { OIDCPluginSpec } from './oidc-plugin.ts'
import type { SpecRule } from './spec-rule.ts'

const NEEDS_TLS = ['serverName', 'caSecretRef', 'insecureSkipTlsVerify'] as const
const NEEDS_SENTINEL = ['sentinelMaster', 'sentinelUsername', 'sentinelPasswordSecretRef'] as const

/** What the fields of a session's store ask of each other. */
export const SESSION_RULES: readonly SpecRule<OIDCPluginSpec>[] = [
  {
    path: 'redis',
    message: 'and sessionStorage: redis need each other',
    holds: ({ redis, sessionStorage }) => (redis !== undefined) === (sessionStorage === 'redis'),
    cel: "has(self.redis) == (has(self.sessionStorage) && self.sessionStorage == 'redis')",
  },
  {
    path: 'redis.host',
    message: 'or redis.sentinelNodes must be given, and not both',
    holds: ({ redis }) =>
      redis === undefined || (redis.host === undefined) !== (redis.sentinelNodes === undefined),
    cel: '!has(self.redis) || has(self.redis.host) != has(self.redis.sentinelNodes)',
  },
  {
    path: 'redis.sentinelMaster',
    message: 'is needed with redis.sentinelNodes',
    holds: ({ redis }) => redis?.sentinelNodes === undefined || redis.sentinelMaster !== undefined,
    cel: '!has(self.redis) || !has(self.redis.sentinelNodes) || has(self.redis.sentinelMaster)',
  },
  ...NEEDS_SENTINEL.map((name): SpecRule<OIDCPluginSpec> => ({
    path: `redis.${name}`,
    message: 'needs redis.sentinelNodes',
    holds: ({ redis }) => redis?.[name] === undefined || redis.sentinelNodes !== undefined,
    cel: `!has(self.redis) || !has(self.redis.${name}) || has(self.redis.sentinelNodes)`,
  })),
  ...NEEDS_TLS.map((name): SpecRule<OIDCPluginSpec> => ({
    path: `redis.${name}`,
    message: 'needs redis.ssl: true',
    holds: ({ redis }) => redis?.[name] === undefined || redis.ssl,
    cel: `!has(self.redis) || !has(self.redis.${name}) || (has(self.redis.ssl) && self.redis.ssl)`,
  })),
]
