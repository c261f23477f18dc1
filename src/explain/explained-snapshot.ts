import type { CompileResult } from '../compiler/options.ts'
import type { LiveSnapshot } from '../proxy/active-snapshot.ts'
import { liveTableOf } from '../table/live-table.ts'
import type { Policy } from '../table/policy.ts'

const SESSION_KEY = 'session-key/explain'

/**
 * What a request would meet, but for sessions: those in Redis are left alone, and no cookie opens with a key that nobody
 * else has.
 *
 * @param sessionKey Random; base64url of 32 bytes.
 */
export function explainedSnapshot({ table, secrets }: CompileResult, sessionKey: string): LiveSnapshot {
  const policies = Object.fromEntries(
    Object.values(table.policies).map((policy) => [policy.id, withoutRedis(policy)]),
  )
  const snapshot = {
    version: 1,
    sessionKeys: [SESSION_KEY],
    table: { ...table, policies },
    secrets: { ...secrets, [SESSION_KEY]: sessionKey },
  }
  return { version: 1, sessionKeys: snapshot.sessionKeys, live: liveTableOf(snapshot) }
}

function withoutRedis(policy: Policy): Policy {
  const { redis: _redis, ...session } = policy.session
  return { ...policy, session }
}
