import { expect, test } from 'vitest'
import type { Resources } from '../../../src/api/resources.ts'
import { ManifestMemory } from '../../../src/source/directory/manifest-memory.ts'
import { parseFile } from '../../../src/source/directory/read-directory.ts'
import { ingress } from './manifests.ts'

const UNREADABLE = Symbol('unreadable')
const SYNTAX_ERROR = 'kind: "Ingress\n'
/** Parses as YAML, and no Ingress has such a path type. */
const invalid = (name: string): string => ingress(name).replace('Prefix', 'Regex')

function update(memory: ManifestMemory, files: Record<string, string | typeof UNREADABLE>): Resources {
  return memory.update(
    Object.entries(files).map(([path, text]) =>
      text === UNREADABLE ? { path, unreadable: 'may not be read' } : parseFile({ path, text }),
    ),
  )
}

function hosts({ ingresses }: Resources): string[] {
  return ingresses.map(({ spec }) => spec.rules[0]?.host ?? '').toSorted()
}

function reports({ broken }: Resources): string[] {
  return broken.map(({ reference, origin, problems }) => {
    const name = reference === undefined ? '?' : `${reference.namespace}/${reference.name}`
    return `${origin?.file}:${origin?.line} ${name} ${problems[0]?.message}`
  })
}

test('an object that becomes invalid keeps its last good form and is reported; mended, the new form counts', () => {
  const memory = new ManifestMemory()
  update(memory, { 'a.yaml': ingress('a', 'v1') })
  const broken = update(memory, { 'a.yaml': invalid('a') })
  expect(hosts(broken)).toEqual(['v1'])
  expect(reports(broken)).toEqual([expect.stringMatching(/^a.yaml:1 default\/a must be "Exact" or/)])
  expect(hosts(update(memory, { 'a.yaml': invalid('a') }))).toEqual(['v1'])
  const mended = update(memory, { 'a.yaml': ingress('a', 'v2') })
  expect(hosts(mended)).toEqual(['v2'])
  expect(reports(mended)).toEqual([])
})

test('a document that is no YAML keeps what its file held, but for what its other documents say now', () => {
  const memory = new ManifestMemory()
  update(memory, { 'a.yaml': `${ingress('a', 'a1')}---\n${ingress('b', 'b1')}` })
  const broken = update(memory, { 'a.yaml': `${SYNTAX_ERROR}---\n${ingress('b', 'b2')}` })
  expect(hosts(broken)).toEqual(['a1', 'b2'])
  expect(hosts(update(memory, { 'a.yaml': `${SYNTAX_ERROR}---\n${ingress('b', 'b3')}` }))).toEqual([
    'a1',
    'b3',
  ])
  expect(hosts(update(memory, { 'a.yaml': ingress('b', 'b4') }))).toEqual(['b4'])
})

test('a document that lost its name or its kind keeps what its file held', () => {
  for (const line of ['  name: a\n', 'kind: Ingress\n', 'apiVersion: networking.k8s.io/v1\n']) {
    const memory = new ManifestMemory()
    update(memory, { 'a.yaml': ingress('a', 'v1') })
    expect(hosts(update(memory, { 'a.yaml': ingress('a', 'v2').replace(line, '') }))).toEqual(['v1'])
  }
})

test('an invalid object that was never good is only reported, with its name', () => {
  const first = update(new ManifestMemory(), { 'a.yaml': invalid('a') })
  expect(first.ingresses).toEqual([])
  expect(first.broken).toMatchObject([{ reference: { kind: 'Ingress', namespace: 'default', name: 'a' } }])
})

test('a file that is deleted, or whose document is deleted, loses its objects', () => {
  const memory = new ManifestMemory()
  update(memory, { 'a.yaml': ingress('a'), 'b.yaml': `${ingress('b')}---\n${ingress('c')}` })
  expect(hosts(update(memory, { 'b.yaml': ingress('c') }))).toEqual(['c.example.com'])
  expect(hosts(update(memory, { 'b.yaml': '# nothing\n' }))).toEqual([])
})

test('a broken file that is deleted loses what was held, and a new one does not bring it back', () => {
  const memory = new ManifestMemory()
  update(memory, { 'a.yaml': ingress('a') })
  update(memory, { 'a.yaml': SYNTAX_ERROR })
  expect(hosts(update(memory, {}))).toEqual([])
  expect(hosts(update(memory, { 'a.yaml': SYNTAX_ERROR }))).toEqual([])
})

test('an emptied file keeps what it held, and one that was always empty is no problem', () => {
  const memory = new ManifestMemory()
  update(memory, { 'a.yaml': ingress('a', 'v1'), 'empty.yaml': '' })
  const emptied = update(memory, { 'a.yaml': '\n', 'empty.yaml': '' })
  expect(hosts(emptied)).toEqual(['v1'])
  expect(reports(emptied)).toEqual([expect.stringMatching(/^a.yaml:1 \? is empty/)])
})

test('an unreadable file or folder keeps what it, and all below it, held', () => {
  const memory = new ManifestMemory()
  update(memory, { 'a/1.yaml': ingress('a'), 'a/b/2.yaml': ingress('b'), 'ab.yaml': ingress('c') })
  expect(hosts(update(memory, { a: UNREADABLE }))).toEqual(['a.example.com', 'b.example.com'])
  expect(hosts(update(memory, { a: UNREADABLE }))).toEqual(['a.example.com', 'b.example.com'])
  expect(hosts(update(memory, { 'a/b/2.yaml': ingress('b') }))).toEqual(['b.example.com'])
})

test('of two definitions the first in file order counts and the second is reported with the place of the first', () => {
  const memory = new ManifestMemory()
  const twice = update(memory, {
    'a.yaml': ingress('x', 'first'),
    'b.yaml': `---\n${ingress('x', 'second')}`,
  })
  expect(hosts(twice)).toEqual(['first'])
  expect(reports(twice)).toEqual([expect.stringMatching(/^b.yaml:2 default\/x .*at a.yaml:1/)])
  expect(hosts(update(memory, { 'b.yaml': ingress('x', 'second') }))).toEqual(['second'])
})

test('breaking the first of two definitions does not let the second in', () => {
  for (const broken of [invalid('x'), SYNTAX_ERROR, '', UNREADABLE] as const) {
    const memory = new ManifestMemory()
    const second = ingress('x', 'second')
    update(memory, { 'a.yaml': ingress('x', 'first'), 'b.yaml': second })
    expect(hosts(update(memory, { 'a.yaml': broken, 'b.yaml': second }))).toEqual(['first'])
  }
  const fresh = update(new ManifestMemory(), { 'a.yaml': invalid('x'), 'b.yaml': ingress('x', 'second') })
  expect(hosts(fresh)).toEqual([])
})

test('an object that moves to an earlier or a later file stays', () => {
  const memory = new ManifestMemory()
  update(memory, { 'm.yaml': ingress('x', 'v1') })
  expect(hosts(update(memory, { 'z.yaml': ingress('x', 'v2') }))).toEqual(['v2'])
  expect(hosts(update(memory, { 'a.yaml': ingress('x', 'v3'), 'z.yaml': SYNTAX_ERROR }))).toEqual(['v3'])
})

/** Hosts whose routes are to be closed. */
function closed({ broken }: Resources): string[] {
  return broken.flatMap(({ closes }) => closes?.spec.rules[0]?.host ?? [])
}

test('an Ingress that was never good is closed, and one that has a good form is not', () => {
  const memory = new ManifestMemory()
  expect(closed(update(memory, { 'a.yaml': invalid('a') }))).toEqual(['a.example.com'])
  expect(closed(update(memory, { 'a.yaml': ingress('a') }))).toEqual([])
  expect(closed(update(memory, { 'a.yaml': invalid('a') }))).toEqual([])
})

test('an Ingress without a name is closed where its file held nothing that it could be', () => {
  const nameless = ingress('a').replace('  name: a\n', '')
  const memory = new ManifestMemory()
  expect(closed(update(memory, { 'a.yaml': nameless }))).toEqual(['a.example.com'])
  expect(closed(update(memory, { 'a.yaml': ingress('a') }))).toEqual([])
  expect(closed(update(memory, { 'a.yaml': nameless }))).toEqual([])
})

test('a second Ingress of a name is closed', () => {
  const files = { 'a.yaml': ingress('a', 'first'), 'b.yaml': ingress('a', 'second') }
  const both = update(new ManifestMemory(), files)
  expect([hosts(both), closed(both)]).toEqual([['first'], ['second']])
})
