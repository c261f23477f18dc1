import * as z from 'zod'
import { objectMeta, type Origin } from './object.ts'

/**
 * The IngressClass fields that are read.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-class-v1/
 */
export const ingressClassSchema = z.object({
  kind: z.literal('IngressClass'),
  metadata: objectMeta,
  spec: z.object({ controller: z.string().default('') }).default({ controller: '' }),
})

export type IngressClass = z.output<typeof ingressClassSchema> & { readonly origin?: Origin }
