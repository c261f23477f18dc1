import type { ExplainedRequest } from '../../../explain/explanation.ts'

/** Where this process's own listeners are. */
export interface DataPlaneAddress {
  /** An address of this machine that is connected to. */
  readonly host: string
  readonly httpPort?: number
  readonly httpsPort?: number
}

/**
 * The only places that a request of the dashboard goes to, whatever host it names: the page must not be a way into the
 * network of this machine (SSRF).
 *
 * @returns Nothing where there is no such listener.
 */
export function originOf(
  { host, httpPort, httpsPort }: DataPlaneAddress,
  scheme: ExplainedRequest['scheme'],
): string | undefined {
  const port = scheme === 'https' ? httpsPort : httpPort
  if (port === undefined) return undefined
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
