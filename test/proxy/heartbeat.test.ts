import { expect, test } from 'vitest'
import { BEAT_MS, Heartbeat } from '../../src/proxy/heartbeat.ts'
import { ManualTimers } from '../support/manual-timers.ts'

function heartbeat(answers: () => boolean): { timers: ManualTimers; heart: Heartbeat; asked: () => number } {
  const timers = new ManualTimers()
  let asked = 0
  const heart: Heartbeat = new Heartbeat(() => {
    asked += 1
    if (answers()) heart.answered()
  }, timers)
  return { timers, heart, asked: () => asked }
}

test('who answers every beat is never silent', () => {
  const { timers, heart, asked } = heartbeat(() => true)
  timers.advance(100 * BEAT_MS)
  expect([heart.silentMs, asked()]).toEqual([0, 100])
})

test('who owes an answer is silent beat by beat, is not asked again, and all is well with the answer', () => {
  const { timers, heart, asked } = heartbeat(() => false)
  timers.advance(BEAT_MS)
  expect(heart.silentMs).toBe(0)
  timers.advance(6 * BEAT_MS)
  expect([heart.silentMs, asked()]).toEqual([6 * BEAT_MS, 1])
  heart.answered()
  expect(heart.silentMs).toBe(0)
  timers.advance(BEAT_MS)
  expect([heart.silentMs, asked()]).toEqual([0, 2])
})

test('a pause of the asker itself counts as one beat, however long it was', () => {
  const late: (() => void)[] = []
  const heart = new Heartbeat(() => {}, {
    after(_delayMs, callback) {
      late.push(callback)
      return () => {}
    },
  })
  late.shift()?.()
  // An hour later, by anybody's clock.
  late.shift()?.()
  expect(heart.silentMs).toBe(BEAT_MS)
})

test('what is stopped asks no more', () => {
  const { timers, heart, asked } = heartbeat(() => true)
  heart.stop()
  timers.advance(10 * BEAT_MS)
  expect([asked(), timers.pending]).toEqual([0, 0])
})
