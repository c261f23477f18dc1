import * as z from 'zod'
import { RATE_LIMIT_PATTERN } from './rate-limit.ts'
import { checkRules, type SpecRule } from './spec-rule.ts'
import type { ObjectMeta, Origin, Problem } from './object.ts'

/** The API group and version of Ostiary's own kinds. */
export const API_VERSION = 'ostiary.dev/v1alpha1'

const consumerFields = z.strictObject({
  username: z.string().min(1).max(253).optional().describe('Compared with claims; unique in the namespace'),
  customId: z.string().min(1).max(253).optional().describe('Compared with claims; unique in the namespace'),
  groups: z
    .array(z.string().min(1).max(253))
    .max(64)
    .default([])
    .describe('Groups that ostiary.dev/allow-groups and deny-groups judge'),
  rateLimits: z
    .array(
      z
        .string()
        .max(16)
        .regex(new RegExp(RATE_LIMIT_PATTERN), 'must be a count and a window as 100/1m, up to 24h'),
    )
    .max(4)
    .default([])
    .describe(
      'How many requests this consumer may send in all, as 100/1m; in place of what its routes say per consumer',
    ),
})

export type ConsumerSpec = z.output<typeof consumerFields>

/** The rules across the fields of a Consumer's spec. */
export const CONSUMER_RULES: readonly SpecRule<ConsumerSpec>[] = [
  {
    path: 'username',
    message: 'or customId is needed, else no claim can name this consumer',
    holds: (spec) => spec.username !== undefined || spec.customId !== undefined,
    cel: 'has(self.username) || has(self.customId)',
  },
]

/** The spec of a Consumer: an API client's identity that claims are mapped to. An unknown field is refused. */
export const consumerSpec = consumerFields.superRefine((spec, context) => {
  for (const { path, message } of checkRules(CONSUMER_RULES, spec)) {
    context.addIssue({ code: 'custom', path: [path], message })
  }
})

/** A Consumer as read: its spec, or why the spec was refused. */
export interface Consumer {
  readonly kind: 'Consumer'
  readonly metadata: ObjectMeta
  readonly spec: ParsedSpec<ConsumerSpec>
  readonly origin?: Origin
}

/** The outcome of reading a spec of our own kinds: the object exists either way, and says so in its status. */
export type ParsedSpec<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false
      readonly problems: readonly Problem[]
      /** Request headers that it seems to map, see `salvageHeaders`. */
      readonly headers: readonly string[]
    }
