import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { chartReadme } from '../../scripts/chart-readme.ts'
import { chartValues, valuePaths } from '../../scripts/chart-values.ts'

const YAML = `# Head of the file.

# First of all.
first: 1

group:
  # Of two
  # lines.
  inner: ''
  deeper:
    # A list.
    list: [a]

# One map is one value.
whole:
  a: 1
  b: {c: 2}
`

describe('the values of the chart', () => {
  test('are read with their comments', () => {
    expect(chartValues(YAML)).toEqual([
      { path: 'first', standard: 1, description: 'First of all.' },
      { path: 'group.inner', standard: '', description: 'Of two lines.' },
      { path: 'group.deeper.list', standard: ['a'], description: 'A list.' },
      { path: 'whole', standard: { a: 1, b: { c: 2 } }, description: 'One map is one value.' },
    ])
  })

  test('need a comment each', () => {
    expect(() => chartValues('# Known.\nknown: 1\nunknown: 2\n')).toThrow(
      'unknown in values.yaml has no comment',
    )
    expect(() => chartValues('# Head.\n\nfirst: 1\n')).toThrow('first in values.yaml has no comment')
  })

  test('are found in a schema, without what is for Helm', () => {
    const whole = { $comment: 'one value', properties: { a: {} } }
    const group = { properties: { inner: {}, enabled: {} } }
    expect(valuePaths({ properties: { global: {}, enabled: {}, group, whole } })).toEqual([
      'group.inner',
      'group.enabled',
      'whole',
    ])
  })

  test('are the same in values.yaml, its schema and the README', () => {
    expect(chartReadme('charts/ostiary')).toBe(readFileSync('charts/ostiary/README.md', 'utf8'))
  })

  test('are refused by the schema where their name is wrong, at every depth', () => {
    const schema = JSON.parse(readFileSync('charts/ostiary/values.schema.json', 'utf8')) as Schema
    const open = [...openMaps(schema, '')]
    expect(open).toEqual([])
  })
})

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
}

/** Maps with members of their own that take others too. */
function* openMaps({ properties = {}, additionalProperties }: Schema, path: string): Generator<string> {
  if (Object.keys(properties).length > 0 && additionalProperties !== false) yield path
  for (const [name, member] of Object.entries(properties)) yield* openMaps(member, `${path}.${name}`)
}
