import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AccessLog, type AccessLogOptions } from '../../src/observability/access-log.ts'
import type { RequestRecord } from '../../src/observability/request-record.ts'
import { aRequestRecord } from '../support/a-request-record.ts'
import { aRoute } from '../support/snapshot.ts'

function written(record: RequestRecord, options: Partial<AccessLogOptions> = {}, random = 0): string {
  let text = ''
  const all = { enabled: true, sample: 1, format: 'json', ...options } as const
  const log = new AccessLog(
    all,
    (line) => (text += line),
    () => random,
  )
  log.finished(record)
  return text
}

const REFUSED = { plugin: 'default/okta', flow: '', result: 'refuse', reason: 'missing_group' } as const

describe('a line of JSON', () => {
  test('says where a request went, what both sides said, and whose time it was', () => {
    const line = written(aRequestRecord({ attempts: 2, traceId: 'a'.repeat(32), userAgent: 'probe' }))
    expect(line.endsWith('\n')).toBe(true)
    expect(JSON.parse(line)).toEqual({
      level: 30,
      time: '2026-03-01T12:00:00.007Z',
      log: 'access',
      client: '203.0.113.9',
      method: 'GET',
      scheme: 'https',
      host: 'app.example.com',
      path: '/orders',
      protocol: 'HTTP/1.1',
      status: 200,
      bytesIn: 0,
      bytesOut: 12,
      durationMs: 3,
      ownMs: 1,
      upstreamMs: 2,
      route: 'default/web#0.0',
      namespace: 'default',
      ingress: 'web',
      service: 'web',
      upstream: 'default/web/80',
      endpoint: '10.0.0.1:8080',
      upstreamStatus: 200,
      attempts: 2,
      traceId: 'a'.repeat(32),
      userAgent: 'probe',
      msg: 'request',
    })
  })

  test('says who was let in or refused, by whom, and why', () => {
    const allowed = { plugin: 'default/okta', flow: 'bearer', result: 'allow', reason: '' } as const
    expect(JSON.parse(written(aRequestRecord({ decision: allowed, consumer: 'billing' })))).toMatchObject({
      plugin: 'default/okta',
      flow: 'bearer',
      decision: 'allow',
      consumer: 'billing',
    })
    const refused = aRequestRecord({
      status: 403,
      decision: REFUSED,
      reason: 'missing_group',
      upstream: undefined,
      endpoint: undefined,
      upstreamStatus: 0,
      sentAt: 0,
    })
    const line = JSON.parse(written(refused)) as Record<string, unknown>
    expect(line).toMatchObject({ decision: 'refuse', reason: 'missing_group', durationMs: 3, ownMs: 3 })
    expect(line).not.toHaveProperty('upstream')
    expect(line).not.toHaveProperty('upstreamMs')
  })

  test('of a request without a route has no place of one', () => {
    const line = written(aRequestRecord({ route: undefined, upstream: undefined, reason: 'no_route' }))
    expect(JSON.parse(line)).not.toHaveProperty('route')
  })

  test('stays one line of printable ASCII, whatever clients send', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 3000 })
    fc.assert(
      fc.property(anyText, (text) => {
        const line = written(aRequestRecord({ path: text, authority: text, userAgent: text, consumer: text }))
        expect(line.slice(0, -1)).toMatch(/^[ -~]*$/)
        const { path, consumer } = JSON.parse(line) as Record<string, string>
        expect(text.startsWith(path ?? '')).toBe(true)
        expect(consumer).toBe(text)
      }),
    )
  })
})

describe('a readable line', () => {
  test('is short, and has colours on a terminal only', () => {
    const record = aRequestRecord({ decision: REFUSED, reason: 'missing_group', consumer: 'billing' })
    expect(written(record, { format: 'readable' })).toBe(
      '[12:00:00.007] 200 GET         3.0 ms  app.example.com/orders → default/web/80 at 10.0.0.1:8080: 200 in ' +
        '2.0 ms (default/okta refuse, missing_group, as billing)\n',
    )
    expect(written(record, { format: 'coloured' })).toContain('\u001B[32m200\u001B[39m')
  })

  test('steers no terminal', () => {
    const hostile = '\u001B]0;owned\u0007\n\u009B31m\u202E'
    const line = written(aRequestRecord({ path: hostile, authority: hostile, consumer: hostile }), {
      format: 'readable',
    })
    expect(line.replaceAll('→', '').slice(0, -1)).toMatch(/^[ -~]*$/)
  })
})

describe('which requests are written', () => {
  test('the route says, else the installation', () => {
    const log = (enabled: boolean) => new AccessLog({ enabled, sample: 1, format: 'json' }, () => {})
    const [silent, loud] = [aRoute('web', { accessLog: false }), aRoute('web', { accessLog: true })]
    expect([silent, loud, aRoute('web'), undefined].map((route) => log(true).wants(route))).toEqual([
      false,
      true,
      true,
      true,
    ])
    expect([silent, loud, aRoute('web'), undefined].map((route) => log(false).wants(route))).toEqual([
      false,
      true,
      false,
      false,
    ])
  })

  test('a share of those that went well, and all that failed or were refused', () => {
    const sampled = { sample: 0.1 }
    expect(written(aRequestRecord(), sampled, 0.09)).not.toBe('')
    expect(written(aRequestRecord(), sampled, 0.1)).toBe('')
    expect(written(aRequestRecord({ status: 404 }), sampled, 0.1)).toBe('')
    expect(written(aRequestRecord({ status: 502 }), sampled, 0.1)).not.toBe('')
    expect(written(aRequestRecord({ status: 403, decision: REFUSED }), sampled, 0.1)).not.toBe('')
    expect(written(aRequestRecord(), { sample: 0 }, 0)).toBe('')
  })
})
