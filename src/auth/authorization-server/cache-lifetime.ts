/** Between what a lifetime is kept, and what it is where the server names none. All in milliseconds. */
export interface LifetimeBounds {
  readonly minimumMs: number
  readonly maximumMs: number
  readonly defaultMs: number
}

/**
 * How long a document may be kept by its Cache-Control (RFC 9111 §5.2.2), within bounds: `no-store` and `no-cache`
 * give the minimum, `max-age` is clamped, anything else gives the default.
 */
export function cacheLifetimeMs(
  cacheControl: string | readonly string[] | undefined,
  bounds: LifetimeBounds,
): number {
  const directives = typeof cacheControl === 'string' ? cacheControl : (cacheControl ?? []).join(',')
  if (/(^|[\s,])no-(store|cache)($|[\s,=])/i.test(directives)) return bounds.minimumMs
  const maxAge = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,10})/i.exec(directives)?.[1]
  if (maxAge === undefined) return bounds.defaultMs
  return Math.min(Math.max(Number(maxAge) * 1000, bounds.minimumMs), bounds.maximumMs)
}
