import { AggregatorRegistry } from 'prom-client'
import { expect, test } from 'vitest'
import type { AuditEvent } from '../../src/audit-event.ts'
import { SessionMetrics } from '../../src/observability/session-metrics.ts'

const PLACE = { client: '192.0.2.1', method: 'GET', host: 'a.test', path: '/oauth2/sign_out' }

function logout(event: Pick<AuditEvent, 'outcome' | 'channel'>): AuditEvent {
  return { event: 'logout', ...event, ...PLACE, username: 'ada@example.com' }
}

test('counts logins, logouts by channel and outcome, and the sizes of cookies, of all threads together', async () => {
  const [one, other] = [new SessionMetrics(), new SessionMetrics()]
  one.started()
  other.started()
  one.sealed(900)
  other.sealed(5000)
  one.happened(logout({ outcome: 'ok' }))
  other.happened(logout({ outcome: 'ok' }))
  other.happened(logout({ outcome: 'unavailable', channel: 'back' }))
  // What is counted elsewhere.
  other.happened({ ...logout({ outcome: 'ok' }), event: 'refresh' })
  const text = await AggregatorRegistry.aggregate([one.families(), other.families()]).metrics()
  const lines = text.split('\n')
  expect(lines).toContain('ostiary_sessions_started_total 2')
  expect(lines).toContain('ostiary_logouts_total{channel="browser",outcome="ok"} 2')
  expect(lines).toContain('ostiary_logouts_total{channel="back",outcome="unavailable"} 1')
  expect(lines).toContain('ostiary_session_cookie_bytes_bucket{le="1024"} 1')
  expect(lines).toContain('ostiary_session_cookie_bytes_bucket{le="8192"} 2')
  expect(lines).toContain('ostiary_session_cookie_bytes_sum 5900')
  expect(text).not.toContain('ada')
})
