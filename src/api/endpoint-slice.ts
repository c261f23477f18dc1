import * as z from 'zod'
import { objectMeta, type Origin } from './object.ts'

/**
 * The EndpointSlice fields that are read. The label `kubernetes.io/service-name` joins it to its Service.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
 */
export const endpointSliceSchema = z.object({
  kind: z.literal('EndpointSlice'),
  metadata: objectMeta,
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()).min(1),
        conditions: z
          .object({
            ready: z.boolean().nullish(),
            serving: z.boolean().nullish(),
            terminating: z.boolean().nullish(),
          })
          .nullish(),
      }),
    )
    .nullish()
    .transform((endpoints) => endpoints ?? []),
  ports: z
    .array(
      z.object({
        name: z.string().nullish(),
        port: z.number().int().nullish(),
        protocol: z.string().nullish(),
      }),
    )
    .nullish()
    .transform((ports) => ports ?? []),
})

export type EndpointSlice = z.output<typeof endpointSliceSchema> & { readonly origin?: Origin }
