import * as z from 'zod'
import { objectMeta, type Origin } from './object.ts'

/**
 * The Service fields that are read. `targetPort` is not among them: the endpoint slice holds the real port, and
 * the two are joined by the Service port's name.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
 */
export const serviceSchema = z.object({
  kind: z.literal('Service'),
  metadata: objectMeta,
  spec: z
    .object({
      type: z.string().default('ClusterIP'),
      externalName: z.string().nullish(),
      publishNotReadyAddresses: z.boolean().default(false),
      ports: z
        .array(
          z.object({
            name: z.string().default(''),
            port: z.number().int(),
            protocol: z.string().default('TCP'),
          }),
        )
        .default([]),
    })
    .default({ type: 'ClusterIP', publishNotReadyAddresses: false, ports: [] }),
})

export type Service = z.output<typeof serviceSchema> & { readonly origin?: Origin }
