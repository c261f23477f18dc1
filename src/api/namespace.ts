import * as z from 'zod'
import { objectMeta, type Origin } from './object.ts'

/** The Namespace fields that are read: whether it is terminating. */
export const namespaceSchema = z.object({
  kind: z.literal('Namespace'),
  metadata: objectMeta,
  status: z.object({ phase: z.string().default('Active') }).default({ phase: 'Active' }),
})

export type Namespace = z.output<typeof namespaceSchema> & { readonly origin?: Origin }
