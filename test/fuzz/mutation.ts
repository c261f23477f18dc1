import * as fc from 'fast-check'

type Edit = (bytes: Buffer) => Buffer

/** A place in whatever is edited, as a fraction of its length. */
const place = fc.double({ min: 0, max: 1, noNaN: true })
const some = fc.nat({ max: 40 })

function at(bytes: Buffer, fraction: number): number {
  return Math.min(bytes.length, Math.floor(fraction * (bytes.length + 1)))
}

function edits(splices: readonly Buffer[]): fc.Arbitrary<Edit> {
  const insert = (where: number, added: Uint8Array): Edit => {
    return (bytes) => {
      const index = at(bytes, where)
      return Buffer.concat([bytes.subarray(0, index), added, bytes.subarray(index)])
    }
  }
  return fc.oneof(
    fc.tuple(place, fc.nat({ max: 7 })).map(([where, bit]): Edit => (bytes) => {
      const copy = Buffer.from(bytes)
      const index = Math.min(copy.length - 1, at(copy, where))
      if (index >= 0) copy[index] = (copy[index] ?? 0) ^ (1 << bit)
      return copy
    }),
    fc.tuple(place, some).map(([where, length]): Edit => (bytes) => {
      const index = at(bytes, where)
      return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + length)])
    }),
    fc.tuple(place, some, fc.nat({ max: 200 })).map(([where, length, times]): Edit => (bytes) => {
      const index = at(bytes, where)
      const part = bytes.subarray(index, index + length)
      return insert(where, Buffer.concat(Array.from({ length: times }, () => part)))(bytes)
    }),
    fc.tuple(place, fc.uint8Array({ maxLength: 12 })).map(([where, added]) => insert(where, added)),
    fc.tuple(place, fc.constantFrom(...splices)).map(([where, added]) => insert(where, added)),
    place.map(
      (where): Edit =>
        (bytes) =>
          bytes.subarray(0, at(bytes, where)),
    ),
  )
}

/** Bytes that parsers and protocols give a meaning of their own. */
const SPICES = [
  '\0',
  '\r\n',
  '"',
  '{',
  '[',
  ']',
  '}',
  ',',
  ':',
  '=',
  '&',
  ';',
  '%00',
  '%2e',
  '..',
  '\\u0000',
  '-1',
  '1e999',
  'null',
  '__proto__',
  '\ufeff',
  '\u202e',
  '.',
  ' ',
]

/** One of the seeds after up to four random edits; also as it is. */
export function mutated(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const splices = [...seeds, ...SPICES.map((spice) => Buffer.from(spice))]
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(edits(splices), { maxLength: 4 }))
    .map(([seed, list]) => list.reduce((bytes, edit) => edit(bytes), seed))
}

/** The same as text in which every byte is one character, as header values are. */
export function mutatedText(seeds: readonly Buffer[]): fc.Arbitrary<string> {
  return mutated(seeds).map((bytes) => bytes.toString('latin1'))
}
