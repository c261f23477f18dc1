import * as z from 'zod'

// What several fields are: every string bounded, as the cost estimate of CEL rules needs it.

export const url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s/?#@]+([/?][^\s#]*)?$/, 'must be an absolute http(s) URL without user and fragment')

export const text = z.string().min(1).max(1024)
