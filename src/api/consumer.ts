import * as z from 'zod'
import type { ObjectMeta, Origin, Problem } from './object.ts'

/** The API group and version of Ostiary's own kinds. */
export const API_VERSION = 'ostiary.dev/v1alpha1'

/**
 * The spec of a Consumer: an API client's identity that claims are mapped to. An unknown field is refused.
 * At least one of `username` and `customId` is needed.
 */
export const consumerSpec = z
  .strictObject({
    username: z.string().min(1).max(253).optional(),
    customId: z.string().min(1).max(253).optional(),
    groups: z.array(z.string().min(1).max(253)).max(64).default([]),
  })
  .refine((spec) => spec.username !== undefined || spec.customId !== undefined, {
    message: 'needs username or customId, else no claim can name this consumer',
  })

export type ConsumerSpec = z.output<typeof consumerSpec>

/** A Consumer as read: its spec, or why the spec was refused. */
export interface Consumer {
  readonly kind: 'Consumer'
  readonly metadata: ObjectMeta
  readonly spec: ParsedSpec<ConsumerSpec>
  readonly origin?: Origin
}

/** The outcome of reading a spec of our own kinds: the object exists either way, and says so in its status. */
export type ParsedSpec<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] }
