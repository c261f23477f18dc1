import { onTestFinished, describe, expect, test } from 'vitest'
import { anyAddress, noLocalAddress } from '../../src/auth/authorization-server/address-guard.ts'
import { createServerAgent } from '../../src/auth/authorization-server/server-agent.ts'
import { systemClock } from '../../src/clock.ts'
import { adviceFor, oktaServer } from '../../src/doctor/advice.ts'
import { createAsk, type Asked } from '../../src/doctor/ask.ts'
import { checkClock } from '../../src/doctor/check-clock.ts'
import { checkTls } from '../../src/doctor/check-tls.ts'
import { printReport } from '../../src/doctor/print-report.ts'
import type { AuthorizationServer } from '../../src/table/policy.ts'
import { startHostile } from '../auth/authorization-server/open-client.ts'
import { createPrivateCa } from '../auth/authorization-server/private-ca.ts'
import { aPolicy, aServer, OWN_CLIENT } from '../support/a-policy.ts'

describe('the clock', () => {
  const NOW = Date.parse('2026-03-01T12:00:00.000Z')

  function at(offsetSeconds: number, headers: Record<string, string> = {}): Asked {
    const date = new Date(NOW + offsetSeconds * 1000).toUTCString()
    return { ok: true, status: 200, headers: { date, ...headers }, body: '', atMs: NOW + 500 }
  }

  test.each([
    [0, 0, 'ok'],
    [2, 0, 'ok'],
    [-2, 0, 'ok'],
    [5, 0, 'warning'],
    [-5, 0, 'warning'],
    [30, 31, 'ok'],
    [90, 0, 'failed'],
    [-3600, 60, 'failed'],
  ])('with the server %i s ahead and a leeway of %i s is %s', (offset, leeway, outcome) => {
    expect(checkClock(at(offset), leeway).outcome).toBe(outcome)
  })

  test('is told which way it is off', () => {
    expect(checkClock(at(90), 0).found).toBe('this machine is 90 s behind the server')
    expect(checkClock(at(-90), 0).found).toBe('this machine is 90 s ahead of the server')
  })

  test('an answer out of a cache is as old as its Age says', () => {
    expect(checkClock(at(-300, { age: '300' }), 0).outcome).toBe('ok')
  })

  test.each([
    ['no answer', { ok: false, code: 'ECONNREFUSED' }],
    ['no Date', { ok: true, status: 200, headers: {}, body: '', atMs: NOW }],
    ['a Date that is none', { ok: true, status: 200, headers: { date: 'yesterday' }, body: '', atMs: NOW }],
  ] satisfies [string, Asked][])('with %s nothing is told', (_, answer) => {
    expect(checkClock(answer, 0).outcome).toBe('skipped')
  })
})

describe('TLS', () => {
  async function checked(server: AuthorizationServer, guard = anyAddress) {
    const dispatcher = createServerAgent(server, guard)
    onTestFinished(() => dispatcher.close())
    const ask = createAsk({ dispatcher, clock: systemClock, timeoutMs: 5000, userAgent: 'test' })
    const answer = await ask(server.discoveryUrls[0] ?? '', 'application/json')
    return { answer, finding: checkTls(server, answer) }
  }

  test('an unknown CA fails with the way to name it, and passes once it is named', async () => {
    const pki = await createPrivateCa({ type: 7, ip: '127.0.0.1' })
    const hostile = await startHostile({ tls: pki })
    const { finding } = await checked(hostile.asPolicyServer())
    expect(finding).toMatchObject({ outcome: 'failed', fix: expect.stringContaining('spec.caSecretRef') })
    const named = await checked(hostile.asPolicyServer({ certificateAuthorities: pki.ca }))
    expect(named.finding.outcome).toBe('ok')
    const careless = await checked(hostile.asPolicyServer({ insecureSkipTlsVerify: true }))
    expect(careless.finding.outcome).toBe('warning')
  })

  test('a certificate of another name fails, and the fix is the name', async () => {
    const pki = await createPrivateCa({ type: 2, value: 'elsewhere.example' })
    const hostile = await startHostile({ tls: pki })
    const { finding } = await checked(hostile.asPolicyServer({ certificateAuthorities: pki.ca }))
    expect(finding).toMatchObject({ outcome: 'failed', fix: expect.stringContaining('spec.issuer') })
  })

  test('plain http is worth a look beyond this machine', () => {
    expect(checkTls(aServer('http://login.example.com'), undefined).outcome).toBe('warning')
    expect(checkTls(aServer('http://localhost:9000/oauth2/default'), undefined).outcome).toBe('skipped')
    expect(checkTls(aServer('http://localhost.example.com'), undefined).outcome).toBe('warning')
  })

  test('a local address is refused as Ostiary refuses it in a cluster', async () => {
    const hostile = await startHostile()
    const { answer } = await checked(hostile.asPolicyServer(), noLocalAddress)
    expect(answer).toEqual({ ok: false, code: 'ADDRESS_REFUSED' })
    expect(hostile.requests).toEqual([])
  })
})

describe("Okta's authorization servers", () => {
  const metadata = (tokenEndpoint: string) => ({
    issuer: '',
    tokenEndpoint,
    codeChallengeMethods: [],
    issParameterSupported: false,
  })

  test.each([
    ['https://example.okta.com/oauth2/default', { id: 'default' }],
    ['https://example.oktapreview.com/oauth2/aus1a2b3', { id: 'aus1a2b3' }],
    ['https://example.okta.com', {}],
    ['https://example.okta.com/', {}],
    ['https://okta.com.evil.example/oauth2/default', undefined],
    ['https://notokta.com/oauth2/default', undefined],
    ['https://login.example.com/realms/shop', undefined],
    ['no url', undefined],
  ])('%s', (issuer, expected) => {
    expect(oktaServer(issuer)).toEqual(expected)
  })

  test("are recognised behind a customer's own domain by their addresses", () => {
    const issuer = 'https://id.example.com/oauth2/default'
    expect(oktaServer(issuer, metadata(`${issuer}/v1/token`))).toEqual({ id: 'default' })
    expect(oktaServer(issuer, metadata('https://id.example.com/token'))).toBeUndefined()
  })
})

describe('advice on a refused client', () => {
  const { secret: _, ...withoutSecret } = OWN_CLIENT
  const withKey = { ...withoutSecret, key: 'default/app-key/key.pem' }

  test.each([
    [
      'https://example.okta.com/oauth2/default',
      OWN_CLIENT,
      /set to Client secret.*create secret generic ostiary -n/,
    ],
    ['https://example.okta.com/oauth2/default', withKey, /PUBLIC KEYS.*--from-file=key\.pem=/],
    ['https://example.okta.com/oauth2/default', withoutSecret, /"Client authentication" set to None/],
    ['https://login.example.com', OWN_CLIENT, /registered and active.*create secret generic ostiary -n/],
  ])('at %s', (issuer, client, expected) => {
    const policy = aPolicy({ server: aServer(issuer), client })
    expect(adviceFor(policy).client).toMatch(expected)
  })
})

describe('the report', () => {
  const report = {
    plugin: 'default/app',
    findings: [
      { check: 'plugin', outcome: 'ok', found: 'default/app is accepted' },
      {
        check: 'redirect URI',
        outcome: 'failed',
        found: 'not registered',
        fix: 'add exactly https://a.example/cb now',
      },
    ],
  } as const

  test('on a terminal has marks, and breaks lines between words alone', () => {
    expect(printReport(report, { marks: true, width: 50 })).toBe(
      [
        'default/app',
        '',
        '✓  plugin        default/app is accepted',
        '✗  redirect URI  not registered',
        '                 fix: add exactly',
        '                 https://a.example/cb now',
        '',
        '1 failed, 0 to look at, 1 ok, 0 skipped',
        '',
      ].join('\n'),
    )
  })

  test('elsewhere has words, and no line is broken', () => {
    const text = printReport(report, { marks: false })
    expect(text).toContain('FAILED   redirect URI  not registered\n')
    expect(text).toContain('fix: add exactly https://a.example/cb now\n')
  })
})
