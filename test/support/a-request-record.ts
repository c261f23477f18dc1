import type { RequestRecord } from '../../src/observability/request-record.ts'
import { aRoute } from './snapshot.ts'

/** A request that went well, 3 ms in all of which its upstream had 2. */
export function aRequestRecord(overrides: Partial<RequestRecord> = {}): RequestRecord {
  return {
    endedAtEpochMs: Date.UTC(2026, 2, 1, 12, 0, 0, 7),
    startedAt: 100,
    authorizingAt: 100.25,
    authorizedAt: 100.5,
    sentAt: 100.75,
    answeredAt: 102.5,
    upstreamEndedAt: 102.75,
    endedAt: 103,
    clientAddress: '203.0.113.9',
    scheme: 'https',
    protocol: 'HTTP/1.1',
    method: 'GET',
    authority: 'app.example.com',
    path: '/orders',
    userAgent: undefined,
    traceId: undefined,
    trace: undefined,
    route: aRoute('web'),
    status: 200,
    reason: '',
    decision: undefined,
    consumer: undefined,
    upstream: 'default/web/80',
    endpoint: '10.0.0.1:8080',
    upstreamStatus: 200,
    attempts: 1,
    requestBytes: 0,
    responseBytes: 12,
    ...overrides,
  }
}
