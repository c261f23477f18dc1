import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { customResourceDefinitions } from '../../scripts/crds.ts'

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
