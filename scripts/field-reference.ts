import { parse } from 'yaml'
import { markdownTable } from './markdown-table.ts'

/** The part of a structural schema that the reference shows. */
interface Field {
  readonly type: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly items?: Field
  readonly properties?: Readonly<Record<string, Field>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxLength?: number
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string }[]
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string }
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Field } }]
  }
}

/** The field that begins each part of OIDCPlugin, in the schema's order; a kind that has none of them is one table. */
const SECTIONS: readonly (readonly [first: string, title: string])[] = [
  ['issuer', 'Authorization server and client'],
  ['timeout', 'Calls to the authorization server'],
  ['leeway', 'Verification'],
  ['bearerTokenParamType', 'Where credentials are looked for'],
  ['introspectJwtTokens', 'Introspection and caches'],
  ['scopesRequired', 'Who may pass'],
  ['consumerClaims', 'Consumers'],
  ['upstreamIdTokenHeader', 'Headers'],
  ['redirectUri', 'Login'],
  ['sessionStorage', 'Sessions'],
  ['responseMode', 'Authorization request and end of a login'],
  ['endSessionEndpoint', 'Logout'],
  ['exposeErrorCode', 'Errors'],
]

/**
 * The reference of one kind as Markdown, from its CustomResourceDefinition: every field with type, bounds, default and
 * meaning, then the rules that hold between fields.
 *
 * @param definition YAML of the CustomResourceDefinition.
 */
export function fieldReference(definition: string): string {
  const { names, versions } = (parse(definition) as Definition).spec
  const schema = versions[0].schema.openAPIV3Schema
  const spec = schema.properties?.['spec']
  if (spec?.properties === undefined) throw new TypeError(`${names.kind} has no spec`)
  return [
    `# ${names.kind}`,
    '<!-- Generated from src/api by `npm run generate`; do not edit. -->',
    `\`apiVersion: ostiary.dev/v1alpha1\`, \`kind: ${names.kind}\`. ${schema.description ?? ''}`,
    'A field that is not listed here makes the object invalid: it is not applied, and what it guards stays closed.',
    'Fields whose name ends in `SecretRef` name a Secret of the same namespace, labelled `ostiary.dev/secret: "true"`; times are in seconds unless the meaning says milliseconds.',
    ...sections(spec),
    '## Rules between fields',
    'The API server refuses an object that breaks one of these at admission; with files, `ostiary check` does.',
    rules(spec).join('\n'),
    '',
  ].join('\n\n')
}

function sections(spec: Field): string[] {
  const all = Object.entries(spec.properties ?? {})
  const starts = SECTIONS.flatMap(([first, title]) => {
    const index = all.findIndex(([name]) => name === first)
    return index === -1 ? [] : [{ title, index }]
  })
  if (starts.length === 0) return ['## Fields', table(all, spec, '')]
  return starts.flatMap(({ title, index }, place) => {
    const end = starts[place + 1]?.index ?? all.length
    return [`## ${title}`, table(all.slice(index, end), spec, '')]
  })
}

function table(fields: readonly (readonly [string, Field])[], parent: Field, prefix: string): string {
  return markdownTable(
    ['field', 'type', 'default', 'meaning'],
    fields.flatMap(([name, field]) => rows(name, field, parent, prefix)),
  )
}

function rows(name: string, field: Field, parent: Field, prefix: string): string[][] {
  const path = `${prefix}${name}`
  const needed = parent.required?.includes(name) === true ? '**needed**' : ''
  const value = field.default === undefined ? needed : code(JSON.stringify(field.default))
  const own = [code(path), typeOf(field), value, field.description ?? '']
  const nested = field.type === 'array' ? field.items : field
  const below = Object.entries(nested?.properties ?? {})
  const inside = `${path}${field.type === 'array' ? '[]' : ''}.`
  return [own, ...below.flatMap(([key, each]) => rows(key, each, nested as Field, inside))]
}

function typeOf(field: Field): string {
  if (field.enum !== undefined) return field.enum.map(code).join(', ')
  if (field.type === 'array') return `list of ${field.items === undefined ? 'anything' : typeOf(field.items)}`
  if (field.type !== 'integer') return field.type
  const { minimum, maximum } = field
  if (minimum !== undefined && maximum !== undefined) return `whole number, ${minimum} to ${maximum}`
  return minimum === undefined ? 'whole number' : `whole number from ${minimum}`
}

/** One line for each message: fields of one kind share a rule, and its words. */
function rules(spec: Field): string[] {
  const messages = (spec['x-kubernetes-validations'] ?? []).map(({ message }) => message)
  return [...new Set(messages)].map((message) => {
    const [, path = '', rest = ''] = /^(\S+) (.*)$/s.exec(message) ?? []
    return `- ${path in (spec.properties ?? {}) ? `${code(path)} ${rest}` : message}`
  })
}

function code(text: string): string {
  return `\`${text}\``
}
