/** As in `upstreamHeadersNames`; also where the field's name is misspelt, which is why a spec is refused most often. */
const FIELD = /^upstream.*header(?!.*claims)/i
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,128}$/
/** More than any plugin maps. */
const MAXIMUM = 256

/**
 * The request headers that a refused OIDCPlugin spec seems to map: upstreams go on trusting them while the plugin is
 * mended, so that no client may send them. Total.
 *
 * @param spec Anything.
 */
export function salvageHeaders(spec: unknown): string[] {
  if (typeof spec !== 'object' || spec === null) return []
  return Object.entries(spec)
    .filter(([field]) => FIELD.test(field))
    .flatMap(([, value]) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .map(nameOf)
    .filter((name) => HEADER_NAME.test(name))
    .slice(0, MAXIMUM)
}

/** `name`, `name:bearer` or `{ header: name }`. */
function nameOf(value: unknown): string {
  if (typeof value === 'string') return value.split(':')[0] ?? ''
  const { header } = (value ?? {}) as { readonly header?: unknown }
  return typeof header === 'string' ? header : ''
}
