import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { CertificateFindings } from '../../src/commands/certificate-findings.ts'
import { compile } from '../../src/compiler/compile.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { FILE_OPTIONS, readManifests } from '../compiler/manifests.ts'
import { certificateFor, tlsSecret, withTls, type CertificateOptions } from '../support/certificates.ts'
import { authority, caSecret } from '../support/client-certificates.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { ingress, service, yaml } from '../support/manifests.ts'

const HOST = 'shop.example.test'
const DAY_MS = 24 * 3600 * 1000
/** Of the manual clock. */
const START = Date.UTC(2026, 0, 1)

const inDays = (days: number): Date => new Date(START + days * DAY_MS)

function compiled(pair: KeyPair, options: { readonly defaultCertificate?: string } = {}) {
  const web = withTls(ingress({ name: 'shop', host: HOST }), 'shop-tls', HOST)
  const admin = withTls(ingress({ name: 'admin', host: HOST, path: '/admin' }), 'shop-tls', HOST)
  const manifests = yaml(...service('echo', 1), tlsSecret('shop-tls', pair), web, admin)
  return compile(readManifests(manifests), { ...FILE_OPTIONS, ...options })
}

async function watched(certificate: CertificateOptions) {
  const pair = await certificateFor(HOST, certificate)
  const timers = new ManualTimers()
  const lines: { readonly msg: string; readonly reason: string; readonly level: number }[] = []
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const findings = new CertificateFindings({ clock: timers, timers, logger })
  const reasons = (): string[] =>
    findings.diagnostics().map(({ reason, object }) => `${object.name} ${reason}`)
  findings.update(compiled(pair))
  return { findings, lines, pair, reasons, timers }
}

test('one that is good is not spoken of, until two weeks before its end, and once it has expired', async () => {
  const { findings, lines, reasons, timers } = await watched({ notBefore: inDays(-1), notAfter: inDays(60) })
  expect(reasons()).toEqual([])
  timers.advance(45 * DAY_MS)
  expect([reasons(), lines]).toEqual([[], []])
  timers.advance(2 * DAY_MS)
  expect(reasons()).toEqual(['admin CertificateExpiresSoon', 'shop CertificateExpiresSoon'])
  const soon = lines.length
  expect(lines.map(({ reason }) => reason)).toEqual(['CertificateExpiresSoon', 'CertificateExpiresSoon'])
  // The words are the same every day, so that an Event is counted and the log not filled.
  timers.advance(12 * DAY_MS)
  expect(lines).toHaveLength(soon)
  timers.advance(2 * DAY_MS)
  expect(reasons()).toEqual(['admin CertificateExpired', 'shop CertificateExpired'])
  expect(lines.filter(({ reason }) => reason === 'CertificateExpired')).toHaveLength(2)
  findings.stop()
  expect(timers.pending).toBe(0)
})

test('one that is not valid yet is told until it is', async () => {
  const { reasons, timers, lines } = await watched({ notBefore: inDays(1), notAfter: inDays(90) })
  expect(reasons()).toEqual(['admin CertificateNotYetValid', 'shop CertificateNotYetValid'])
  timers.advance(DAY_MS + 1000)
  expect(reasons()).toEqual([])
  expect(lines.at(-1)?.msg).toContain('no longer so')
})

test('a finding says where, which Secret, and when; never the key', async () => {
  const { findings, pair, lines } = await watched({ notBefore: inDays(-90), notAfter: inDays(-1) })
  const found = findings.diagnostics().find(({ object }) => object.name === 'shop')
  expect(found).toMatchObject({
    severity: 'error',
    reason: 'CertificateExpired',
    object: { kind: 'Ingress', namespace: 'default', name: 'shop' },
    path: 'spec.tls[0].secretName',
  })
  expect(found?.message).toContain('default/shop-tls')
  expect(found?.message).toContain('2025-12-31T00:00:00Z')
  const secret = pair.privateKeyPem.split('\n')[1] ?? ''
  expect(secret.length).toBeGreaterThan(20)
  expect(JSON.stringify([findings.diagnostics(), lines])).not.toContain(secret)
})

test('renewal ends it at once', async () => {
  const { findings, reasons } = await watched({ notBefore: inDays(-90), notAfter: inDays(-1) })
  expect(reasons()).toHaveLength(2)
  findings.update(compiled(await certificateFor(HOST, { notBefore: inDays(-1), notAfter: inDays(90) })))
  expect(reasons()).toEqual([])
})

test('the default certificate is told of at its Secret', async () => {
  const { findings, pair } = await watched({ notBefore: inDays(-90), notAfter: inDays(-1) })
  findings.update(compiled(pair, { defaultCertificate: 'default/shop-tls' }))
  expect(
    findings
      .diagnostics()
      .map(({ object }) => object.kind)
      .toSorted(),
  ).toEqual(['Ingress', 'Ingress', 'Secret'])
})

describe('what OpenSSL does not take', () => {
  test('is told, since the default is served instead', async () => {
    const { findings } = await watched({ rsaBits: 1024, notBefore: inDays(-1), notAfter: inDays(90) })
    expect(findings.diagnostics().map(({ reason }) => reason)).toEqual([
      'CertificateInvalid',
      'CertificateInvalid',
    ])
  })

  test('is found in many certificates by and by', async () => {
    const { findings, pair, timers } = await watched({
      rsaBits: 1024,
      notBefore: inDays(-1),
      notAfter: inDays(90),
    })
    const many = Array.from({ length: 450 }, (_, n) => [
      tlsSecret(`tls-${n}`, pair),
      withTls(ingress({ name: `shop-${n}`, host: `h${n}.test` }), `tls-${n}`, `h${n}.test`),
    ])
    findings.update(compile(readManifests(yaml(...many.flat())), FILE_OPTIONS))
    const found = (): number =>
      findings.diagnostics().filter(({ reason }) => reason === 'CertificateInvalid').length
    expect(found()).toBe(200)
    timers.advance(100)
    expect(found()).toBe(400)
    timers.advance(100)
    expect(found()).toBe(450)
  })
})

describe('authorities of client certificates', () => {
  async function asking(notAfter: Date, crl?: string) {
    const ca = await authority('Clients', { notBefore: inDays(-90), notAfter })
    const good = await authority('Good', { notBefore: inDays(-90), notAfter: inDays(900) })
    const secret = caSecret('clients', {
      'ca.crt': `${good.certificateChainPem}\n${ca.certificateChainPem}`,
      ...(crl !== undefined && { 'ca.crl': crl }),
    })
    const annotations = { 'ostiary.dev/client-ca-secret': 'clients' }
    const app = ingress({ name: 'shop', host: HOST, annotations })
    const { findings, timers } = await watched({ notBefore: inDays(-1), notAfter: inDays(900) })
    findings.update(compile(readManifests(yaml(...service('echo', 1), secret, app)), FILE_OPTIONS))
    return { timers, found: () => findings.diagnostics() }
  }

  test('are told of before the first of them ends, and after', async () => {
    const { timers, found } = await asking(inDays(20))
    expect(found()).toEqual([])
    timers.advance(7 * DAY_MS)
    expect(found().map(({ reason, severity }) => `${severity} ${reason}`)).toEqual([
      'warning CertificateExpiresSoon',
    ])
    timers.advance(14 * DAY_MS)
    expect(found()).toMatchObject([
      {
        severity: 'error',
        reason: 'CertificateExpired',
        object: { kind: 'Ingress', namespace: 'default', name: 'shop' },
        path: 'metadata.annotations[ostiary.dev/client-ca-secret]',
      },
    ])
    expect(found()[0]?.message).toContain('default/clients')
  })

  test('with a revocation list that cannot be read are told: nobody can connect', async () => {
    const { found } = await asking(inDays(90), '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n')
    expect(found().map(({ reason }) => reason)).toEqual(['ClientCaInvalid'])
  })
})
