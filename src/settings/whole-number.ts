import * as z from 'zod'

/** Digits alone: of nothing at all, as of a variable that is empty, `Number` would make 0, which is no limit. */
export function wholeNumber(minimum: number, maximum: number): z.ZodType<number> {
  const message = `must be a whole number from ${minimum} to ${maximum}`
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .pipe(z.number().min(minimum, message).max(maximum, message))
}
