import type { Exchange } from './exchange.ts'

/** Tells browsers to come by HTTPS from now on (RFC 6797 §7.2: never over plain HTTP). */
export function addHsts(exchange: Exchange): boolean {
  const hsts = exchange.route?.hsts
  if (hsts === undefined || exchange.view.scheme !== 'https') return true
  exchange.policyHeaders = [...exchange.policyHeaders, ['Strict-Transport-Security', hsts]]
  return true
}
