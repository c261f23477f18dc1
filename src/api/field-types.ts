import * as z from 'zod'

// What several fields are: every string bounded, as the cost estimate of CEL rules needs it.

/** ASCII only: it goes into headers as it is. Other characters are percent-encoded, and host names in punycode. */
export const url = z
  .string()
  .max(2048)
  .regex(
    /^https?:\/\/[A-Za-z0-9._~:[\]-]+([/?][!"$-~]*)?$/,
    'must be an absolute http(s) URL in ASCII, without user and fragment',
  )

export const text = z.string().min(1).max(1024)

export const on = z.boolean().optional()

export const seconds = z.int().min(0).max(31_536_000)

export const headerName = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be a header name')

export const argumentName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_.-]+$/, 'must be an argument name')

/** Each item is a key of the object before it. */
export const claimPath = z.array(z.string().min(1).max(256)).min(1).max(8)

export const secretReference = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(253)
    .describe('Name of a Secret in this namespace, labelled ostiary.dev/secret=true'),
  key: z.string().min(1).max(253).optional().describe('Key inside the Secret'),
})
