import * as z from 'zod'
import { objectMeta, type Origin } from './object.ts'

const backendFields = z.object({
  service: z
    .object({
      name: z.string().min(1),
      port: z.object({ name: z.string().optional(), number: z.number().int().optional() }).default({}),
    })
    .optional(),
  resource: z.object({ apiGroup: z.string().nullish(), kind: z.string(), name: z.string() }).optional(),
})

export type IngressBackend = z.output<typeof backendFields> & {
  /** What Ostiary itself serves on that port of this machine. Never read from an object: the schema has no such field. */
  readonly loopbackPort?: number
}

const backend = backendFields.transform((read): IngressBackend => read)

const path = z.object({
  path: z.string().optional(),
  pathType: z.enum(['Exact', 'Prefix', 'ImplementationSpecific']),
  backend,
})

/**
 * The Ingress v1 fields that are read; everything else is ignored.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/
 */
export const ingressSchema = z.object({
  kind: z.literal('Ingress'),
  metadata: objectMeta,
  spec: z
    .object({
      ingressClassName: z.string().nullish(),
      defaultBackend: backend.nullish(),
      tls: z
        .array(z.object({ hosts: z.array(z.string()).default([]), secretName: z.string().nullish() }))
        .default([]),
      rules: z
        .array(
          z.object({
            host: z.string().nullish(),
            http: z.object({ paths: z.array(path).default([]) }).nullish(),
          }),
        )
        .default([]),
    })
    .default({ tls: [], rules: [] }),
})

export type Ingress = z.output<typeof ingressSchema> & {
  readonly origin?: Origin
  /** Why it is not taken; its routes are closed, see `salvageIngress`. */
  readonly refused?: string
}
export type IngressPath = z.output<typeof path>
