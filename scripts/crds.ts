import { stringify } from 'yaml'
import { CONSUMER_RULES, consumerSpec } from '../src/api/consumer.ts'
import { OIDC_PLUGIN_RULES } from '../src/api/oidc-plugin-rules.ts'
import { oidcPluginSpec } from '../src/api/oidc-plugin.ts'
import { statusSchema, structuralSchema, type SchemaNode } from './crd-schema.ts'

const HEADER = '# Generated from src/api by `npm run generate`; do not edit.\n'

interface Kind {
  readonly kind: string
  readonly plural: string
  readonly shortNames: readonly string[]
  readonly description: string
  readonly spec: SchemaNode
  readonly rules: readonly { readonly path: string; readonly message: string; readonly cel: string }[]
  /** A priority above 0 leaves a column to `-o wide`. */
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly description: string
    readonly priority?: number
  }[]
}

const accepted = {
  name: 'Accepted',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
  description: 'Whether Ostiary takes the object as it is',
}
const programmed = {
  name: 'Programmed',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Programmed")].status',
  description: 'Whether it is in force: valid, and all that it refers to is there',
}
/** Not that of Accepted, which says nothing of a Secret that is missing. */
const reason = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Programmed")].reason',
  description: 'Why it is not in force',
}
const warning = {
  name: 'Warning',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Warning")].reason',
  description: 'What should be changed although it works',
  priority: 1,
}
const age = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Age of the object',
}

const KINDS: readonly Kind[] = [
  {
    kind: 'OIDCPlugin',
    plural: 'oidcplugins',
    shortNames: ['oidcp'],
    description:
      'Guards the Ingresses and Services whose annotation ostiary.dev/plugins names it, with tokens and sessions of one authorization server.',
    spec: structuralSchema(oidcPluginSpec),
    rules: OIDC_PLUGIN_RULES,
    columns: [
      { name: 'Issuer', type: 'string', jsonPath: '.spec.issuer', description: 'Issuer of its tokens' },
      accepted,
      programmed,
      reason,
      warning,
      age,
    ],
  },
  {
    kind: 'Consumer',
    plural: 'consumers',
    shortNames: ['oconsumer'],
    description: 'An API client or a person that claims of a token are mapped to.',
    spec: structuralSchema(consumerSpec),
    rules: CONSUMER_RULES,
    columns: [
      { name: 'Username', type: 'string', jsonPath: '.spec.username', description: 'Compared with claims' },
      { name: 'CustomId', type: 'string', jsonPath: '.spec.customId', description: 'Compared with claims' },
      accepted,
      programmed,
      reason,
      age,
    ],
  },
]

/** The CustomResourceDefinitions as YAML, by file name. */
export function customResourceDefinitions(): ReadonlyMap<string, string> {
  const render = (kind: Kind): [string, string] => [
    `ostiary.dev_${kind.plural}.yaml`,
    HEADER + stringify(definition(kind), { aliasDuplicateObjects: false, lineWidth: 110 }),
  ]
  return new Map(KINDS.map(render))
}

function definition(kind: Kind): SchemaNode {
  const validations = kind.rules.map(({ path, message, cel }) => ({
    rule: cel,
    message: `${path} ${message}`,
  }))
  const schema: SchemaNode = {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { ...kind.spec, 'x-kubernetes-validations': validations },
      status: statusSchema(),
    },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.ostiary.dev` },
    spec: {
      group: 'ostiary.dev',
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: kind.shortNames,
        categories: ['ostiary'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  }
}

/** A kustomization of files beside it. */
export function kustomizationOf(resources: readonly string[]): string {
  return (
    HEADER + stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources })
  )
}
