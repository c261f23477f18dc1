import { expect, test, vi } from 'vitest'
import { HoldOff } from '../../src/reconciler/hold-off.ts'
import { ManualTimers } from '../support/manual-timers.ts'

function setUp(): { timers: ManualTimers; closed: ReturnType<typeof vi.fn<() => void>>; holdOff: HoldOff } {
  const timers = new ManualTimers()
  const closed = vi.fn<() => void>()
  return { timers, closed, holdOff: new HoldOff({ timers, quietMs: 30, maxMs: 300, closed }) }
}

test('a window closes once, when nothing has changed for the quiet time', () => {
  const { timers, closed, holdOff } = setUp()
  holdOff.changed()
  timers.advance(29)
  holdOff.changed()
  timers.advance(29)
  expect(closed).not.toHaveBeenCalled()
  timers.advance(1)
  expect(closed).toHaveBeenCalledTimes(1)
  timers.advance(10_000)
  expect(closed).toHaveBeenCalledTimes(1)
})

test('changes without a pause are held up for no longer than the maximum', () => {
  const { timers, closed, holdOff } = setUp()
  for (let ms = 0; ms < 600; ms += 10) {
    holdOff.changed()
    timers.advance(10)
  }
  expect(closed).toHaveBeenCalledTimes(2)
})

test('a cancelled window never closes, and the next change opens a new one', () => {
  const { timers, closed, holdOff } = setUp()
  holdOff.changed()
  holdOff.cancel()
  timers.advance(1000)
  expect(closed).not.toHaveBeenCalled()
  expect(timers.pending).toBe(0)
  holdOff.changed()
  timers.advance(30)
  expect(closed).toHaveBeenCalledTimes(1)
})
