import { describe, expect, test } from 'vitest'
import { API_VERSION } from '../../src/api/consumer.ts'
import { parseObject } from '../../src/api/parse-object.ts'
import { SPEC_CASES } from './spec-cases.ts'

function parseSpec(
  kind: string,
  spec: unknown,
): { ok: boolean; problems?: readonly { path: string; message: string }[] } {
  const result = parseObject({
    apiVersion: API_VERSION,
    kind,
    metadata: { name: 'x', namespace: 'default' },
    spec,
  })
  if (
    result.kind !== 'object' ||
    (result.object.kind !== 'OIDCPlugin' && result.object.kind !== 'Consumer')
  ) {
    throw new Error(`not an object of ours: ${JSON.stringify(result)}`)
  }
  return result.object.spec
}

describe('specs of our kinds', () => {
  test.each(SPEC_CASES.filter((each) => each.verdict === 'good'))(
    'takes $kind with $name',
    ({ kind, spec }) => {
      expect(parseSpec(kind, spec)).toMatchObject({ ok: true })
    },
  )

  test.each(SPEC_CASES.filter((each) => each.verdict !== 'good'))(
    'refuses $kind with $name',
    ({ kind, spec }) => {
      const parsed = parseSpec(kind, spec)
      expect(parsed.ok).toBe(false)
      for (const { path, message } of parsed.problems!) {
        expect(path).toMatch(/^spec/)
        expect(message).not.toBe('')
      }
    },
  )

  test('names the place of a problem inside a list', () => {
    const parsed = parseSpec('OIDCPlugin', { issuer: 'https://a.example', scopes: ['openid', 7] })
    expect(parsed.problems!.map((each) => each.path)).toEqual(['spec.scopes[1]'])
  })
})

describe('objects', () => {
  test.each([
    ['null', null],
    ['a list', []],
    ['a string', 'x'],
    ['no kind', { apiVersion: 'v1' }],
    ['no apiVersion', { kind: 'Service' }],
    ['no name', { apiVersion: 'v1', kind: 'Service', metadata: {} }],
    ['a kind of our group that does not exist', { apiVersion: 'ostiary.dev/v1', kind: 'OIDCPlugin' }],
  ])('%s is broken, with a reason', (_name, raw) => {
    const result = parseObject(raw)
    expect(result.kind).toBe('broken')
    expect(result.kind === 'broken' && result.problems.length).toBeGreaterThan(0)
  })

  test('a kind that is not read is ignored', () => {
    expect(parseObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } })).toEqual({
      kind: 'ignored',
    })
  })

  test('a secret value shows in no printed form of its Secret', () => {
    const result = parseObject({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'okta' },
      data: { clientSecret: Buffer.from('s3cr3t').toString('base64') },
    })
    if (result.kind !== 'object' || result.object.kind !== 'Secret') throw new Error('not a Secret')
    expect(JSON.stringify(result)).not.toContain('s3cr3t')
    expect(String(result.object.values['clientSecret'])).toBe('[redacted]')
    expect(result.object.values['clientSecret']!.reveal()).toBe('s3cr3t')
  })

  test('fields that are not used are dropped', () => {
    const result = parseObject({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'a',
        managedFields: [{}],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
      spec: { ports: [{ port: 80, targetPort: 8080 }], selector: { app: 'a' } },
    })
    expect(JSON.stringify(result)).not.toMatch(/managedFields|last-applied|targetPort|selector/)
  })
})
