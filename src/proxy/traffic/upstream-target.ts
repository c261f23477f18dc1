import type { Exchange } from '../exchange.ts'
import { withoutParameters } from '../parameters.ts'

/**
 * The target that the upstream sees: the client's own bytes, but for a path that its route rewrites and for credentials
 * that are hidden from it.
 */
export function upstreamTarget(exchange: Exchange): string {
  const { allow, authority, upstreamPath } = exchange
  const hidden = allow === undefined ? 0 : allow.removeQuery.length
  if (hidden === 0 && upstreamPath === undefined) return authority.target
  return joinTarget(exchange, upstreamPath ?? sentPath(exchange))
}

/** The target before its path was rewritten, without hidden credentials; `undefined` where it was not. */
export function originalTarget(exchange: Exchange): string | undefined {
  return exchange.upstreamPath === undefined ? undefined : joinTarget(exchange, sentPath(exchange))
}

/** Path as sent, which is not the normal form that routes are matched on. */
export function sentPath({ authority: { target } }: Exchange): string {
  const question = target.indexOf('?')
  return question === -1 ? target : target.slice(0, question)
}

function joinTarget({ allow, authority, target }: Exchange, path: string): string {
  if (!authority.target.includes('?')) return path
  if (allow === undefined || allow.removeQuery.length === 0) return `${path}?${target.query}`
  const query = withoutParameters(target.query, allow.removeQuery)
  return query === '' ? path : `${path}?${query}`
}
