import { expect, test } from 'vitest'
import { parseManifest } from '../../../src/source/directory/parse-manifest.ts'
import { ingress } from './manifests.ts'

const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: { name: orders }\n'

function summaries(text: string): string[] {
  return parseManifest(text, 'a.yaml').map((entry) => {
    if (entry.kind === 'object') {
      return `${entry.object.origin?.file}:${entry.object.origin?.line} ${entry.key}`
    }
    const { origin, problems } = entry.input
    const said = problems.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')
    return `${origin?.file}:${origin?.line} ${entry.kind} ${said}`
  })
}

test('every document has the line that its content begins at', () => {
  expect(summaries(`# head\n---\n${ingress('one')}---\n\n# note\n${SERVICE}`)).toEqual([
    'a.yaml:3 Ingress/default/one',
    `a.yaml:19 Service/default/orders`,
  ])
})

test('the items of lists of both kinds are unwrapped, each with its own line', () => {
  const list = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Namespace
    metadata: { name: shop, namespace: ignored }
  - { apiVersion: v1, kind: Pod, metadata: { name: unread } }
---
apiVersion: v1
kind: ServiceList
items:
  - metadata: { name: orders, namespace: shop }
  - metadata: { namespace: shop }
`
  expect(summaries(list)).toEqual([
    'a.yaml:4 Namespace//shop',
    'a.yaml:12 Service/shop/orders',
    'a.yaml:13 nameless metadata.name is missing',
  ])
})

test('JSON is read, tabs included', () => {
  const json = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }, null, '\t')
  expect(summaries(json)).toEqual(['a.yaml:1 Service/default/a'])
})

test('an unclosed quote costs its own document alone, though YAML would read on past the dashes', () => {
  const text = `${SERVICE}---\nkind: "Secret\n---\n${ingress('after')}`
  expect(summaries(text)).toEqual([
    'a.yaml:1 Service/default/orders',
    expect.stringMatching(/^a\.yaml:5 nameless is not valid YAML: .*closing quote/),
    'a.yaml:7 Ingress/default/after',
  ])
})

test.each([
  ['an unclosed quote', 'stringData: { password: "hunter2\n'],
  ['a value that is an alias', 'stringData: { password: *hunter2 }\n'],
  ['a second colon', 'stringData:\n  password: hunter2: x\n'],
  ['a duplicate key', 'hunter2: a\nhunter2: b\n'],
  ['a tab', 'stringData:\n\tpassword: hunter2\n'],
  ['a bad escape', 'password: "\\hunter2"\n'],
  ['a reserved character', 'password: @hunter2\n'],
  ['a bad directive', '%hunter2 x\npassword: hunter2\n'],
  ['a scalar', 'hunter2\n'],
  [
    'a number for a secret',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: 2.2}\n',
  ],
  ['base64 that is none', 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: hunter2!}\n'],
  [
    'an option that does not exist',
    'apiVersion: ostiary.dev/v1alpha1\nkind: OIDCPlugins\nmetadata: {name: a}\nspec: {clientSecret: hunter2}\n',
  ],
])('%s is broken and no message quotes the source', (_, text) => {
  const entries = parseManifest(text, 'a.yaml')
  expect(entries.map((entry) => entry.kind)).not.toContain('object')
  expect(entries.length).toBeGreaterThan(0)
  for (const entry of entries) {
    expect(entry).toMatchObject({ input: { origin: { file: 'a.yaml', line: expect.any(Number) } } })
    expect(JSON.stringify(entry)).not.toMatch(/hunter2|2\.2/)
  }
})

test('a bomb of aliases is refused', () => {
  const levels = Array.from({ length: 9 }, (_, i) => {
    const items = Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*a${i - 1}`)).join(', ')
    return `a${i}: &a${i} [${items}]`
  })
  expect(summaries(levels.join('\n'))).toEqual([expect.stringContaining('nameless is not valid YAML')])
})

test('what is nested without end is refused', () => {
  expect(summaries('['.repeat(20_000))).toEqual([expect.stringContaining('nested too deeply')])
})

test('an old apiVersion of a kind that is read is reported under its name, and other groups are not read', () => {
  const text = `apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: { name: old }\n---
apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: foreign }\n`
  const entries = parseManifest(text, 'a.yaml')
  expect(entries).toEqual([
    expect.objectContaining({
      kind: 'broken',
      key: 'Ingress/default/old',
      input: expect.objectContaining({
        problems: [{ path: 'apiVersion', message: expect.stringContaining('networking.k8s.io/v1') }],
      }),
    }),
  ])
})

test('empty documents, comments and null are no objects', () => {
  expect(summaries('---\n---\n# nothing\n---\nnull\n---\n...\n')).toEqual([])
  expect(summaries('')).toEqual([])
})
