import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** One call to an authorization server, over. */
export interface AuthorizationServerCall {
  readonly issuer: string
  readonly endpoint: string
  readonly outcome: string
  readonly durationMs: number
}

/** What is told of authorization servers. */
export interface AuthorizationServerMetrics {
  called(call: AuthorizationServerCall): void
  /** Forgets all issuers but these, which a published policy has. */
  retain(issuers: ReadonlySet<string>): void
}

const CALL_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Calls to authorization servers and the age of their keys, by what OIDCPlugins say is the issuer. There are as many series
 * as issuers in use: plugins that come and go would otherwise leave theirs behind.
 *
 * @param keyAges Seconds since the keys of each issuer were fetched.
 */
export function createAuthorizationServerMetrics(
  registry: Registry,
  keyAges: () => ReadonlyMap<string, number>,
): AuthorizationServerMetrics {
  const registers = [registry]
  const calls = new Counter({
    name: 'ostiary_authorization_server_requests_total',
    help: 'Calls to authorization servers: ok, refused, unavailable',
    labelNames: ['issuer', 'endpoint', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'ostiary_authorization_server_request_duration_seconds',
    help: 'Time that calls to authorization servers took',
    labelNames: ['issuer', 'endpoint'],
    buckets: CALL_BUCKETS,
    registers,
  })
  let kept: ReadonlySet<string> = new Set()
  const keyAge = new Gauge({
    name: 'ostiary_oidc_jwks_age_seconds',
    help: 'Time since the keys of an issuer were fetched that are in use; grows while they cannot be fetched',
    labelNames: ['issuer'],
    registers,
    collect() {
      keyAge.reset()
      for (const [issuer, age] of keyAges()) if (kept.has(issuer)) keyAge.set({ issuer }, age)
    },
  })
  /** By issuer, one call of each kind. */
  const known = new Map<string, Pick<AuthorizationServerCall, 'endpoint' | 'outcome'>[]>()

  return {
    called({ issuer, endpoint, outcome, durationMs }) {
      calls.inc({ issuer, endpoint, outcome })
      seconds.observe({ issuer, endpoint }, durationMs / 1000)
      let kinds = known.get(issuer)
      if (kinds === undefined) known.set(issuer, (kinds = []))
      const isNew = kinds.every((each) => each.endpoint !== endpoint || each.outcome !== outcome)
      if (isNew) kinds.push({ endpoint, outcome })
    },
    retain(issuers) {
      kept = issuers
      for (const [issuer, kinds] of known) {
        if (issuers.has(issuer)) continue
        known.delete(issuer)
        for (const { endpoint, outcome } of kinds) {
          calls.remove({ issuer, endpoint, outcome })
          seconds.remove({ issuer, endpoint })
        }
      }
    },
  }
}
