import * as z from 'zod'

/** A node of an OpenAPI v3 schema as CustomResourceDefinitions take it. */
export type SchemaNode = Record<string, unknown>

/** Members that zod emits and structural schemas forbid or ignore. */
const DROPPED = new Set(['$schema', 'additionalProperties', 'examples', 'contentEncoding', 'id'])
/** The largest integer zod assumes; as a bound it says nothing. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER

/**
 * Turns a zod schema into a structural schema: what the API server checks at admission.
 *
 * Objects keep unknown fields, so that Ostiary sees a misspelt one and closes the plugin, where the API server would
 * prune the check away without a word.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralSchema(schema: z.ZodType): SchemaNode {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  })
  return structural(json)
}

function structural(node: SchemaNode): SchemaNode {
  const out: SchemaNode = {}
  for (const [name, value] of Object.entries(node)) {
    if (!DROPPED.has(name)) out[name] = value
  }
  if (out['type'] === 'object') {
    const properties = (node['properties'] ?? {}) as Record<string, SchemaNode>
    out['properties'] = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, structural(value)]),
    )
    out['x-kubernetes-preserve-unknown-fields'] = true
  }
  if (out['type'] === 'array') {
    out['items'] = structural(node['items'] as SchemaNode)
    out['x-kubernetes-list-type'] = 'atomic'
  }
  if (out['type'] === 'integer') {
    if (Math.abs(Number(out['minimum'])) === UNBOUNDED) delete out['minimum']
    if (Math.abs(Number(out['maximum'])) === UNBOUNDED) delete out['maximum']
    out['format'] = 'int64'
  }
  if (out['type'] === undefined)
    throw new TypeError(`no type in ${JSON.stringify(node)}: not a structural schema`)
  return out
}

/** `status` with metav1.Condition, as every kind of ours has it. */
export function statusSchema(): SchemaNode {
  const condition: SchemaNode = {
    type: 'object',
    required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    properties: {
      type: {
        type: 'string',
        maxLength: 316,
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
      lastTransitionTime: { type: 'string', format: 'date-time' },
      reason: {
        type: 'string',
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      },
      message: { type: 'string', maxLength: 32_768 },
    },
  }
  return {
    type: 'object',
    description: 'Written by Ostiary',
    properties: {
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
      conditions: {
        type: 'array',
        maxItems: 16,
        items: condition,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      },
    },
  }
}
