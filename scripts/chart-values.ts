import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml'

/** One value of the chart that can be set. */
export interface ChartValue {
  /** As `--set` takes it, for example `image.tag`. */
  readonly path: string
  /** The default. */
  readonly standard: unknown
  /** Its comment in values.yaml, on one line. */
  readonly description: string
}

/**
 * Reads values.yaml: each value with the comment above it. A map in which nothing has one is one value.
 *
 * @throws {TypeError} When a value has no comment.
 */
export function chartValues(yaml: string): readonly ChartValue[] {
  const { contents } = parseDocument(yaml)
  if (!isMap(contents)) throw new TypeError('values.yaml is not a map')
  return [...valuesOf(contents, '')]
}

function* valuesOf(map: YAMLMap, prefix: string): Generator<ChartValue> {
  for (const [index, pair] of map.items.entries()) {
    const path = prefix + String((pair.key as { readonly value: unknown }).value)
    const description = commentOf(map, pair, index)
    if (isMap(pair.value) && hasComments(pair.value)) {
      yield* valuesOf(pair.value, `${path}.`)
      continue
    }
    if (description === '') throw new TypeError(`${path} in values.yaml has no comment`)
    const node = pair.value as { toJSON(): unknown }
    yield { path, standard: node.toJSON(), description }
  }
}

/** The parser gives the comment above a map's first member to the map. A blank line parts the head of the file from it. */
function commentOf(map: YAMLMap, pair: Pair, index: number): string {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined
  const text = own ?? (index === 0 ? map.commentBefore : undefined) ?? ''
  const last = text.split(/\n\s*\n/).at(-1) ?? ''
  return last
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim()
}

function hasComments(map: YAMLMap): boolean {
  return map.items.some(
    (pair, index) => commentOf(map, pair, index) !== '' || (isMap(pair.value) && hasComments(pair.value)),
  )
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  /** Of a value that is one, though its schema names members. */
  readonly $comment?: string
}

/** What Helm itself puts in, or a chart that this one is a part of. */
const OF_HELM: readonly string[] = ['global', 'enabled']

/** The paths that values.schema.json knows, in the same form. A schema that says `$comment: one value` is not descended into. */
export function valuePaths(schema: Schema, prefix = ''): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix + name
    if (OF_HELM.includes(path)) return []
    const isParent = member.properties !== undefined && member.$comment !== 'one value'
    return isParent ? valuePaths(member, `${path}.`) : [path]
  })
}
