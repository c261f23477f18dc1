import { isHopByHop } from './hop-by-hop.ts'
import { flatList, type UpstreamResponseHeaders } from './response-headers.ts'

/** What may not come as a trailer: framing, routing, authentication and what decides on caching (RFC 9110 §6.5.1). */
const REFUSED = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'expires',
  'host',
  'location',
  'set-cookie',
  'trailer',
  'vary',
  'www-authenticate',
])

/**
 * The upstream's trailer fields that may go to the client: of undici's `controller.rawTrailers`, names and values in
 * turn over HTTP/1.1 and an object over HTTP/2.
 */
export function forwardableTrailers(fields: UpstreamResponseHeaders): [string, string][] {
  if (fields === null || fields === undefined) return []
  const raw = flatList(fields)
  const trailers: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i])
    const lowerCase = name.toLowerCase()
    if (!isHopByHop(lowerCase) && !REFUSED.has(lowerCase)) trailers.push([name, text(raw[i + 1])])
  }
  return trailers
}

function text(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '')
}
