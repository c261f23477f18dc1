import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPath } from '../../src/compiler/path.ts'
import { readTarget } from '../../src/proxy/request-target.ts'

const PIECES = `/ / a Z . . %2e %2E %252e %2f %5c ; %3b %25 %41 %c3%a9 ~ { \\ % %0a : ? %c0%ae`.split(' ')
const piece = fc.constantFrom(...PIECES, ' ')
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

test('normalising twice is normalising once, and the second reading is accepted too', () => {
  fc.assert(
    fc.property(target, (given) => {
      const first = readTarget(given)
      fc.pre(first.ok)
      const second = readTarget(first.path)
      expect(second).toEqual({ ...first, query: '' })
    }),
    { numRuns: 2000 },
  )
})

test('no accepted path has a dot segment, however often it is decoded and whatever separates', () => {
  fc.assert(
    fc.property(target, (given) => {
      const reading = readTarget(given)
      fc.pre(reading.ok)
      const once = decodeBytes(reading.path)
      const segments = [reading.path, once, decodeBytes(once)].flatMap((each) => each.split(/[/\\]/))
      for (const segment of segments) expect(segment.replace(/;.*$/, '')).not.toMatch(/^\.\.?$/)
    }),
    { numRuns: 2000 },
  )
})

test('an accepted path resolves to itself as a URL, so that no later party moves it', () => {
  fc.assert(
    fc.property(target, (given) => {
      const reading = readTarget(given)
      fc.pre(reading.ok && !reading.doubleSlash)
      expect(new URL(reading.path, 'http://a.test').pathname).toBe(reading.path)
    }),
    { numRuns: 1000 },
  )
})

test('a path in a manifest and the same path in a request have one normal form', () => {
  fc.assert(
    fc.property(target, (given) => {
      const reading = readTarget(given)
      fc.pre(reading.ok && !given.includes('?'))
      const written = { path: given, pathType: 'Exact', backend: {} } as const
      const rule = readPath(written, { allowEncodedSlash: true, allowDoubleSlash: true })
      expect(rule).toMatchObject({ ok: true, path: reading.path })
    }),
    { numRuns: 1000 },
  )
})

function decodeBytes(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
