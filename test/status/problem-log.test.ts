import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ProblemLog } from '../../src/status/problem-log.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('a problem is told when it is new, every ten minutes while it stays, and when it comes back', () => {
  const logged: string[] = []
  const clock = new ManualClock()
  const problems = new ProblemLog(pino({}, { write: (line: string) => void logged.push(line) }), clock)
  const fail = (reason: string): number => {
    problems.report({ reason }, 'it cannot be done')
    return logged.length
  }
  expect(fail('403')).toBe(1)
  clock.advance(599_999)
  expect(fail('403')).toBe(1)
  clock.advance(1)
  expect(fail('403')).toBe(2)
  expect(fail('403')).toBe(2)
  expect(fail('503')).toBe(3)
  // Two at once, as in two namespaces, are not news in turn.
  expect(fail('403')).toBe(3)
  expect(fail('503')).toBe(3)
  problems.solved()
  expect(fail('503')).toBe(4)
  for (let n = 0; n < 2000; n += 1) fail(`of object ${n}`)
  expect(problems.size).toBeLessThanOrEqual(1000)
  expect(logged[0]).toMatch(/"level":40.*"reason":"403","msg":"it cannot be done"/)
})
