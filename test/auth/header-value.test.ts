import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { claimHeaders } from '../../src/auth/claim-headers.ts'
import { claimText, headerList, headerText } from '../../src/auth/header-value.ts'

const PRINTABLE = /^[\x20-\x7e]*$/

describe('a claim as a header value', () => {
  test.each([
    ['text', 'alice@example.com', 'alice@example.com'],
    ['a URL', 'https://x.example/a?b=c&d="e"', 'https://x.example/a?b=c&d="e"'],
    ['other alphabets', 'Zoë 王', 'Zo%C3%AB %E7%8E%8B'],
    ['a header in disguise', 'a\r\nx-consumer-id: root', 'a%0D%0Ax-consumer-id: root'],
    ['NUL and DEL', 'a\u0000b\u007f', 'a%00b%7F'],
    ['a percent sign', '100%', '100%25'],
    ['spaces at the ends', ' a b  ', '%20a b%20%20'],
    ['half a character', 'a\ud800', 'a%EF%BF%BD'],
    ['empty text', '', ''],
    ['a number', 42, '42'],
    ['false', false, 'false'],
    ['a list', ['Everyone', 'Kong Admins'], 'Everyone, Kong Admins'],
    ['a list with a comma inside', ['a, admin', 'b'], 'a%2C admin, b'],
    ['a mixed list', ['a', 1], '["a",1]'],
    ['an object', { name: 'Zoë', line: 'a\nb' }, '{"name":"Zo\\u00eb","line":"a\\nb"}'],
    ['DEL in an object', { a: '\u007f' }, '{"a":"\\u007f"}'],
    ['an empty list', [], undefined],
    ['null', null, undefined],
    ['nothing', undefined, undefined],
  ])('%s', (_name, value, expected) => {
    expect(claimText(value)).toBe(expected)
  })

  test('is always printable ASCII', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        expect(claimText(value) ?? '').toMatch(PRINTABLE)
      }),
      { numRuns: 300 },
    )
  })

  test('is read back as it was, so that no two texts look alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(headerText(text)).toMatch(PRINTABLE)
        expect(decodeURIComponent(headerText(text))).toBe(text)
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: 'binary-ascii' }), { minLength: 1 }), (items) => {
        expect(headerList(items).split(', ').map(decodeURIComponent)).toEqual(items)
      }),
      { numRuns: 300 },
    )
  })
})

test('a missing claim gives no header, and of two for one header the last present wins', () => {
  const mapping = [
    { header: 'x-name', path: ['name'] },
    { header: 'x-name', path: ['nickname'] },
    { header: 'x-street', path: ['address', 'street'] },
  ]
  expect(claimHeaders(mapping, [{ name: 'Alice', address: {} }])).toEqual([['x-name', 'Alice']])
  expect(claimHeaders(mapping, [{ name: 'Alice', nickname: 'Al' }, { address: { street: 'Elm' } }])).toEqual([
    ['x-name', 'Al'],
    ['x-street', 'Elm'],
  ])
})
