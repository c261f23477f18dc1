import { expect, test } from 'vitest'
import { LoopDelay } from '../../src/observability/loop-delay.ts'
import { ManualTimers } from '../support/manual-timers.ts'

test('a loop that was held up was late, and goes on being looked at', () => {
  const timers = new ManualTimers()
  let heldMs = 0
  const clock = { now: () => timers.now(), monotonic: () => timers.monotonic() + heldMs }
  const delay = new LoopDelay(clock, timers)
  const counted = (bound: number | string) =>
    delay.families()[0]?.values.find(({ labels }) => labels['le'] === bound)?.value
  timers.advance(20)
  expect(counted(0.001)).toBe(1)
  heldMs = 300
  timers.advance(20)
  expect([counted(0.25), counted(0.5)]).toEqual([1, 2])
  timers.advance(20)
  expect([counted(0.25), counted('+Inf')]).toEqual([2, 3])
  delay.stop()
  expect(timers.pending).toBe(0)
})
