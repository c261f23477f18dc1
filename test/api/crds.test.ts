import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { customResourceDefinitions } from '../../scripts/crds.ts'
import { joinConditions } from '../../src/status/conditions.ts'
import { EMPTY_TABLE } from '../../src/table/routing-table.ts'

interface Node {
  readonly path: string
  readonly node: Readonly<Record<string, unknown>>
}

/** Every object inside a parsed document. */
function* nodes(value: unknown, path = ''): Generator<Node> {
  if (typeof value !== 'object' || value === null) return
  yield { path, node: value as Node['node'] }
  for (const [key, child] of Object.entries(value)) yield* nodes(child, `${path}/${key}`)
}

describe.each([...customResourceDefinitions()])('%s', (_name, text) => {
  const schema = [...nodes(parse(text))].filter(({ path }) => path.includes('/openAPIV3Schema'))

  test('patterns are RE2, which the API server compiles them with', () => {
    const patterns = schema.map(({ node }) => node['pattern']).filter((each) => typeof each === 'string')
    expect(patterns.length).toBeGreaterThan(0)
    for (const pattern of patterns) expect(() => RE2JS.compile(pattern)).not.toThrow()
  })

  test('every string and list of a spec is bounded, as the cost estimate of CEL rules needs it', () => {
    const spec = schema.filter(({ path }) => path.includes('/properties/spec/'))
    const unbounded = spec.filter(
      ({ node }) =>
        (node['type'] === 'string' && node['maxLength'] === undefined && node['enum'] === undefined) ||
        (node['type'] === 'array' && node['maxItems'] === undefined),
    )
    expect(unbounded.map(({ path }) => path)).toEqual([])
  })

  test('every field of a spec is described', () => {
    const fields = schema.filter(({ path }) => /\/properties\/spec\/properties\/[^/]+$/.test(path))
    expect(fields.length).toBeGreaterThan(0)
    expect(fields.filter(({ node }) => node['description'] === undefined).map(({ path }) => path)).toEqual([])
  })
})

describe('kubectl get oidcplugins', () => {
  const text = customResourceDefinitions().get('ostiary.dev_oidcplugins.yaml') ?? ''
  const columns = [...nodes(parse(text))]
    .map(({ node }) => node)
    .filter((node) => typeof node['jsonPath'] === 'string')

  test('names the missing Secret of a plugin that is accepted', () => {
    const conditions = joinConditions(
      {
        kind: 'OIDCPlugin',
        namespace: 'shop',
        name: 'okta',
        observedGeneration: 1,
        conditions: [
          { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
          { type: 'ResolvedRefs', status: 'False', reason: 'SecretNotFound', message: 'no Secret' },
          { type: 'Warning', status: 'False', reason: 'NoWarning', message: '' },
        ],
      },
      EMPTY_TABLE,
      undefined,
    )
    const cellOf = (name: string): string | undefined => {
      const column = columns.find((each) => each['name'] === name)
      const path = /^\.status\.conditions\[\?\(@\.type=="(\w+)"\)\]\.(status|reason)$/.exec(
        String(column?.['jsonPath']),
      )
      const condition = conditions.find(({ type }) => type === path?.[1])
      return condition?.[path?.[2] === 'status' ? 'status' : 'reason']
    }
    expect(['Accepted', 'Programmed', 'Reason', 'Warning'].map(cellOf)).toEqual([
      'True',
      'False',
      'SecretNotFound',
      'NoWarning',
    ])
  })
})
