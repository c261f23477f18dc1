import { expect, test } from 'vitest'
import { Diagnostics } from '../../src/compiler/diagnostics.ts'
import { PassMemo, type Lookup } from '../../src/compiler/pass-memo.ts'

/** A source that counts how often it is asked. */
class Counted implements Lookup<string> {
  asked = 0
  readonly #answer: string

  constructor(answer: string) {
    this.#answer = answer
  }

  get(): string {
    this.asked += 1
    return this.#answer
  }
}

type Names = 'services' | 'plugins'

function ask(memo: PassMemo<Names, string>, key: string, sources: Record<Names, Lookup<string>>): string {
  const surroundings = { sources, diagnostics: new Diagnostics() }
  return memo.run(key, [], surroundings, (noted) => `${noted.services.get('a')} ${noted.plugins.get('b')}`)
}

test('what was read from a source that is the same object is not read again, and from another one it is', () => {
  const memo = new PassMemo<Names, string>()
  const services = new Counted('service')
  expect(ask(memo, 'host', { services, plugins: new Counted('plugin') })).toBe('service plugin')
  memo.sweep()
  services.asked = 0
  const equal = new Counted('plugin')
  expect(ask(memo, 'host', { services, plugins: equal })).toBe('service plugin')
  expect([services.asked, equal.asked]).toEqual([0, 1])
  memo.sweep()
  expect(ask(memo, 'host', { services, plugins: new Counted('other') })).toBe('service other')
})

test('sources that change within one generation are all looked at, then and in the next', () => {
  const memo = new PassMemo<Names, string>()
  const plugins = new Counted('plugin')
  const sources = (answer: string) => ({ services: new Counted(answer), plugins })
  const first = sources('first')
  const second = sources('second')
  expect(ask(memo, 'host', first)).toBe('first plugin')
  expect(ask(memo, 'host', second)).toBe('second plugin')
  expect(ask(memo, 'host', first)).toBe('first plugin')
  memo.sweep()
  expect(ask(memo, 'host', second)).toBe('second plugin')
})

test('a generation that ended early leaves nothing that is taken unseen', () => {
  const memo = new PassMemo<Names, string>()
  const plugins = new Counted('plugin')
  const [one, other] = [new Counted('one'), new Counted('other')]
  for (const key of ['reached', 'not reached']) ask(memo, key, { services: one, plugins })
  memo.sweep()
  // A compile that throws after one host sweeps nothing.
  expect(ask(memo, 'reached', { services: other, plugins })).toBe('other plugin')
  expect(ask(memo, 'reached', { services: one, plugins })).toBe('one plugin')
  expect(ask(memo, 'not reached', { services: other, plugins })).toBe('other plugin')
})
