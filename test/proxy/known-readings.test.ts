import { expect, test } from 'vitest'
import { KnownReadings } from '../../src/proxy/known-readings.ts'

function counting() {
  const read: string[] = []
  const readings = new KnownReadings((text) => {
    read.push(text)
    return { upper: text.toUpperCase() }
  })
  return { read, readings }
}

test('a text that comes again is not read again', () => {
  const { read, readings } = counting()
  expect(readings.get('accept')).toEqual({ upper: 'ACCEPT' })
  expect(readings.get('accept')).toBe(readings.get('accept'))
  expect(readings.get('Accept')).toEqual({ upper: 'ACCEPT' })
  expect(read).toEqual(['accept', 'Accept'])
})

test('strangers cannot make it grow: not with long texts, and not with many', () => {
  const { read, readings } = counting()
  const long = 'x'.repeat(65)
  readings.get(long)
  readings.get(long)
  expect(read).toEqual([long, long])
  readings.get('first')
  for (let n = 0; n < 1024; n++) readings.get(`name-${n}`)
  readings.get('first')
  expect(read.filter((text) => text === 'first')).toHaveLength(2)
})
