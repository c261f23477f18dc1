import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readLines } from '../../../src/source/cluster/read-lines.ts'

async function read(chunks: readonly Uint8Array[]): Promise<{ lines: string[]; halfLines: number }> {
  let halfLines = 0
  const body = (async function* () {
    yield* chunks
  })()
  const lines: string[] = []
  for await (const line of readLines(body, () => (halfLines += 1))) lines.push(line)
  return { lines, halfLines }
}

test('lines survive any cutting into pieces, within a character too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !s.includes('\n') && s.trim() !== ''),
        {
          maxLength: 8,
        },
      ),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        )
        expect(await read(chunks)).toEqual({ lines, halfLines: 0 })
      },
    ),
    { numRuns: 60 },
  )
})

test('what follows the last newline is reported as half a line and not given', async () => {
  expect(await read([Buffer.from('one\n\ntw'), Buffer.from('o')])).toEqual({ lines: ['one'], halfLines: 1 })
})

test('a line without end is refused before it fills the memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  let given = 0
  const endless = (async function* () {
    for (;;) {
      given += 1
      yield chunk
    }
  })()
  await expect(readLines(endless, () => {}).next()).rejects.toMatchObject({ code: 'ERR_SOURCE_UNAVAILABLE' })
  expect(given).toBeLessThan(12)
})
