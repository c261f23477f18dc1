import { expect, test } from 'vitest'
import type { Diagnostic } from '../../src/table/diagnostic.ts'
import { Bench, resultNamed } from './setup.ts'

function diagnostic(message: string, rest: Partial<Diagnostic> = {}): Diagnostic {
  return {
    severity: 'warning',
    reason: 'ServiceNotFound',
    object: { kind: 'Ingress', namespace: 'shop', name: 'orders' },
    path: 'spec.rules[0]',
    message,
    remedy: 'create the Service',
    ...rest,
  }
}

test('a diagnostic is logged once when it comes, with its remedy, and once when it goes', async () => {
  const bench = new Bench()
  const compile = async (...diagnostics: Diagnostic[]): Promise<string[]> => {
    bench.compile = () => resultNamed('a', { diagnostics })
    bench.logged.length = 0
    await bench.change()
    return bench.logged
      .filter(({ reason }) => reason !== undefined)
      .map(({ level, msg }) => `${level} ${msg}`)
  }
  expect(await compile(diagnostic('a'), diagnostic('b', { severity: 'error' }))).toEqual(['40 a', '50 b'])
  expect(bench.logged.find(({ msg }) => msg === 'a')).toMatchObject({
    reason: 'ServiceNotFound',
    object: { kind: 'Ingress', namespace: 'shop', name: 'orders' },
    path: 'spec.rules[0]',
    remedy: 'create the Service',
  })
  expect(await compile(diagnostic('a', { origin: { file: 'moved.yaml', line: 7 } }))).toEqual([
    '30 no longer so: b',
  ])
  expect(await compile(diagnostic('a'))).toEqual([])
  expect(await compile()).toEqual(['30 no longer so: a'])
  expect(await compile(diagnostic('a'))).toEqual(['40 a'])
})
