import { expect, test } from 'vitest'
import { LineBatches, type LineBatch } from '../../src/observability/line-batches.ts'
import { ManualTimers } from '../support/manual-timers.ts'

function batches(): { lines: LineBatches; sent: LineBatch[]; timers: ManualTimers } {
  const sent: LineBatch[] = []
  const timers = new ManualTimers()
  return { lines: new LineBatches(timers, (batch) => sent.push(batch)), sent, timers }
}

test('lines wait a moment for others, and go together', () => {
  const { lines, sent, timers } = batches()
  lines.add('one\n')
  timers.advance(60)
  lines.add('two\n')
  expect(sent).toEqual([])
  timers.advance(40)
  expect(sent).toEqual([{ text: 'one\ntwo\n', dropped: 0 }])
  timers.advance(1000)
  expect(sent).toHaveLength(1)
  expect(timers.pending).toBe(0)
})

test('many go at once', () => {
  const { lines, sent, timers } = batches()
  const line = `${'x'.repeat(999)}\n`
  for (let i = 0; i < 70; i += 1) lines.add(line)
  expect(sent.map(({ text }) => text.length)).toEqual([66_000])
  lines.flush()
  expect(sent.map(({ text }) => text.length)).toEqual([66_000, 4000])
  expect(timers.pending).toBe(0)
})

test('what nobody takes is dropped and counted, and told once something is taken', () => {
  const { lines, sent } = batches()
  const line = `${'x'.repeat(65_535)}\n`
  for (let i = 0; i < 70; i += 1) lines.add(line)
  expect(sent).toHaveLength(64)
  expect(sent.every(({ dropped }) => dropped === 0)).toBe(true)
  lines.taken(65_536)
  expect(sent.at(-1)).toEqual({ text: '', dropped: 6 })
  lines.add(line)
  expect(sent.at(-1)).toEqual({ text: line, dropped: 0 })
})
