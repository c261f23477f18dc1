import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { printExplanation } from '../../src/commands/print-explanation.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import type { Diagnostic } from '../../src/table/diagnostic.ts'

const EVIL = 'evil\u001B[2J\u009B\n\u202E'

const diagnostic: Diagnostic = {
  severity: 'error',
  reason: 'ServiceNotFound',
  object: { kind: 'Ingress', namespace: 'default', name: 'app' },
  path: 'spec',
  message: 'names nothing',
  remedy: 'Create it.',
}

const evil: Explanation = {
  request: {
    method: 'GET',
    scheme: 'https',
    host: EVIL,
    path: EVIL,
    queryParameters: [EVIL],
    headers: [EVIL],
    from: '192.0.2.1',
  },
  outcome: { kind: 'answered', status: 401, reason: EVIL, message: EVIL, headers: [EVIL], fix: EVIL },
  steps: [{ step: 'route', verdict: 'answered', found: EVIL, details: [EVIL], fix: EVIL }],
  credentials: [EVIL],
  flows: [{ plugin: EVIL, flow: 'bearer', verdict: 'refuse', reason: EVIL, found: EVIL, fix: EVIL }],
  assumptions: [EVIL],
  nearMisses: [{ kind: 'host', name: EVIL, why: EVIL }],
  diagnostics: [{ ...diagnostic, message: EVIL, remedy: EVIL }],
}

test('nothing that others wrote steers a terminal', () => {
  const printed = printExplanation(evil, new PassThrough())
  expect(printed).toContain('evil')
  expect(printed).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u)
})

test('of many diagnostics the first are shown, and how many there are', () => {
  const many = Array.from({ length: 25 }, () => diagnostic)
  const printed = printExplanation({ ...evil, diagnostics: many }, new PassThrough())
  expect(printed.match(/ServiceNotFound/g)).toHaveLength(10)
  expect(printed).toContain('and 15 more')
})
