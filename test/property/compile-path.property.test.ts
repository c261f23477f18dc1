import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPath } from '../../src/compiler/path.ts'
import { readTarget } from '../../src/proxy/request-target.ts'

const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '..;',
    '%2e',
    '%2E%2e',
    '%252e',
    '%2f',
    '%5c',
    '%00',
    '%7e',
    '%c0%ae',
    '%',
    '%zz',
  ),
  fc.constantFrom('a', 'B', ';', '=', '\\', '#', '?', ' ', 'é', '%c3%a9', '\u0000', '|', '\ud800'),
)
const written = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)

/** What a client sends for a path of a manifest. */
function asSent(path: string): string {
  return path.replaceAll(/[^!-~]/gu, encodeURIComponent)
}

test('a path is taken exactly when requests for it are, and compares equal to them', () => {
  const options = fc.record({ allowEncodedSlash: fc.boolean(), allowDoubleSlash: fc.boolean() })
  fc.assert(
    fc.property(written, options, (path, allow) => {
      fc.pre(path.isWellFormed() && !path.includes('?'))
      const reading = readPath({ path, pathType: 'Exact', backend: {} }, allow)
      const target = readTarget(asSent(path))
      const isServed =
        target.ok &&
        (allow.allowEncodedSlash || !target.encodedSlash) &&
        (allow.allowDoubleSlash || !target.doubleSlash)
      // A raw control character is sent encoded here, and refused as such on both sides.
      expect(reading.ok).toBe(isServed)
      if (reading.ok && target.ok) expect(reading.path).toBe(target.path)
    }),
    { numRuns: 1000 },
  )
})

const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))

test('no path makes the reader throw', () => {
  const pathType = fc.constantFrom('Exact' as const, 'Prefix' as const, 'ImplementationSpecific' as const)
  fc.assert(
    fc.property(fc.oneof(codeUnits, written), pathType, (path, type) => {
      const reading = readPath(
        { path, pathType: type, backend: {} },
        { allowEncodedSlash: true, allowDoubleSlash: true },
      )
      if (reading.ok && reading.pathType === 'Prefix') expect(reading.path).toMatch(/^\/$|[^/]$/)
    }),
    { numRuns: 500 },
  )
})
