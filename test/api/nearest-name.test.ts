import { expect, test } from 'vitest'
import { nearestName } from '../../src/api/nearest-name.ts'

test.each([
  ['plugin', ['public', 'plugins', 'plugged'], 'plugins'],
  ['Plugins', ['plugins'], 'plugins'],
  ['alow-groups', ['deny-groups', 'allow-groups'], 'allow-groups'],
  ['access', ['plugins', 'public'], undefined],
  ['ab', [], undefined],
])('%s meant, of %j, %s', (written, known, nearest) => {
  expect(nearestName(written, known)).toBe(nearest)
})

test('a name with one letter left out, one more, or one wrong is found whatever stands beside it', () => {
  const known = ['request-timeout', 'read-timeout', 'send-timeout', 'connect-timeout']
  for (const name of known) {
    for (let place = 0; place < name.length; place += 1) {
      const [before, after] = [name.slice(0, place), name.slice(place + 1)]
      for (const written of [before + after, `${before}x${name[place]}${after}`, `${before}#${after}`]) {
        expect([written, nearestName(written, known)]).toEqual([written, name])
      }
    }
  }
})
