/**
 * A rule across fields, told twice: to zod here and to the API server as CEL, so that both judge alike. CEL sees the
 * spec after the schema's defaults.
 */
export interface SpecRule<Spec> {
  /** The field that the message is about. */
  readonly path: string
  readonly message: string
  readonly holds: (spec: Spec) => boolean
  /** Common Expression Language, with `self` the spec. */
  readonly cel: string
}

/** The rules that a spec breaks, in their order. */
export function checkRules<Spec>(rules: readonly SpecRule<Spec>[], spec: Spec): readonly SpecRule<Spec>[] {
  return rules.filter((rule) => !rule.holds(spec))
}
