import * as z from 'zod'
import { Redacted } from '../redacted.ts'
import { objectMeta, type Origin } from './object.ts'

/** Only Secrets with this label set to `true`, and those of type `kubernetes.io/tls`, are ever read. */
export const SECRET_LABEL = 'ostiary.dev/secret'

const base64 = z.string().regex(/^[A-Za-z0-9+/\s]*={0,2}\s*$/, 'is not base64; use stringData for plain text')

/**
 * The Secret fields that are read. `stringData` wins over `data`, as the API server has it; values are decoded as
 * UTF-8 and wrapped so that no log can hold them.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/
 */
export const secretSchema = z
  .object({
    kind: z.literal('Secret'),
    metadata: objectMeta,
    type: z.string().default('Opaque'),
    data: z.record(z.string(), base64).nullish(),
    stringData: z.record(z.string(), z.string()).nullish(),
  })
  .transform(({ data, stringData, ...rest }) => {
    const values: Record<string, Redacted> = {}
    for (const [key, value] of Object.entries(data ?? {})) {
      values[key] = new Redacted(Buffer.from(value, 'base64').toString('utf8'))
    }
    for (const [key, value] of Object.entries(stringData ?? {})) values[key] = new Redacted(value)
    return { ...rest, values }
  })

export type Secret = z.output<typeof secretSchema> & { readonly origin?: Origin }
