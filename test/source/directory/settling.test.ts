import { expect, test } from 'vitest'
import { Settling } from '../../../src/source/directory/settling.ts'

function look(settling: Settling, files: Record<string, string>): { take: string[]; again: boolean } {
  const { take, again } = settling.look(new Map(Object.entries(files)))
  return { take: [...take].toSorted(), again }
}

test('a change is taken at the second look that finds it, a deletion too', () => {
  const settling = new Settling(10)
  settling.begin(new Map([['a', '1'], ['b', '1']])) // prettier-ignore
  expect(look(settling, { a: '2' })).toEqual({ take: [], again: true })
  expect(look(settling, { a: '2' })).toEqual({ take: ['a', 'b'], again: false })
  expect(look(settling, { a: '2' })).toEqual({ take: [], again: false })
})

test('an object that moves from one file to another in two steps is never in neither', () => {
  const settling = new Settling(10)
  settling.begin(new Map([['from', 'x']]))
  expect(look(settling, {})).toEqual({ take: [], again: true })
  expect(look(settling, { to: 'x' })).toEqual({ take: [], again: true })
  expect(look(settling, { to: 'x' })).toEqual({ take: ['from', 'to'], again: false })
})

test('a truncation that is undone before the next look is no change', () => {
  const settling = new Settling(10)
  settling.begin(new Map([['a', '1']]))
  expect(look(settling, { a: '' })).toEqual({ take: [], again: true })
  expect(look(settling, { a: '1' })).toEqual({ take: [], again: false })
})

test('a file that never rests holds up the others only so long', () => {
  const settling = new Settling(3)
  settling.begin(new Map())
  expect(look(settling, { log: '1', a: '1' }).take).toEqual([])
  expect(look(settling, { log: '2', a: '1' }).take).toEqual([])
  expect(look(settling, { log: '3', a: '1' })).toEqual({ take: ['a'], again: true })
  expect(look(settling, { log: '3', a: '1' })).toEqual({ take: ['log'], again: false })
})
