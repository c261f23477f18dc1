import * as z from 'zod'

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `5s`, `2m` or `1h`; a bare number is seconds. @returns Milliseconds, up to the given number of seconds. */
export function duration(maximumSeconds: number): z.ZodType<number> {
  const message = `must be a duration such as 500ms, 5s or 1m, up to ${maximumSeconds}s`
  return z
    .string()
    .transform(toMilliseconds)
    .pipe(z.number({ message }).max(maximumSeconds * 1000, message))
}

/** NaN where it is none. */
function toMilliseconds(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,9})(ms|s|m|h)?$/.exec(text) ?? []
  return amount === undefined ? Number.NaN : Number(amount) * (MILLISECONDS[unit] ?? Number.NaN)
}
