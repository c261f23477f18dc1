import { isIPv6 } from 'node:net'
import type { ConnectionView } from '../trusted-proxies.ts'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * The value of a Forwarded field (RFC 7239 §4) that says what our X-Forwarded-* fields say: the client first, with the
 * host and scheme that it used, then the proxies that are vouched for.
 *
 * @param authority the Host field; empty where there is none
 */
export function forwardedField(view: ConnectionView, authority: string): string {
  const [client = '', ...proxies] = view.forwardedFor.split(', ')
  const host = view.forwardedHost ?? authority
  const parts = [`for=${node(client)}`]
  if (host !== '') parts.push(`host=${TOKEN.test(host) ? host : quoted(host)}`)
  parts.push(`proto=${view.forwardedProto}`)
  return [parts.join(';'), ...proxies.map((proxy) => `for=${node(proxy)}`)].join(', ')
}

function node(address: string): string {
  if (address === '') return 'unknown'
  return isIPv6(address) ? `"[${address}]"` : address
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
