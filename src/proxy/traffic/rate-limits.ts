import { createHash } from 'node:crypto'
import type { Identity } from '../../auth/decision.ts'
import type { RateLimit, RouteRateLimit } from '../../table/route-traffic.ts'
import type { Route } from '../../table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import { respondProblem } from '../respond.ts'
import type { Count, Counted } from './rate-limiter.ts'

const MAXIMUM_KEY_LENGTH = 256

/** A limit that a request counts against, and its name among those of the response. */
interface NamedCount extends Count {
  readonly name: string
}

/** Limits that ask for no caller: guesses of credentials count too. */
export function limitAnybody(
  exchange: Exchange,
  route: Route | undefined,
  limits: readonly RouteRateLimit[] | undefined,
): boolean | Promise<boolean> {
  if (limits === undefined || route === undefined) return true
  const counts: NamedCount[] = []
  for (const limit of limits) {
    if (limit.per === 'route') counts.push(named(limit, 'route', route.id))
    else if (limit.per === 'address') counts.push(named(limit, 'address', addressKey(exchange, route)))
  }
  return count(exchange, counts)
}

/** Limits of whoever was let in. A Consumer's own, on all its routes, stand for those of the route per consumer. */
export function limitCaller(exchange: Exchange): boolean | Promise<boolean> {
  const { allow, route, rules } = exchange
  if (allow === undefined || route === undefined) return true
  const limits = rules?.traffic.rateLimits
  const own = allow.identity.consumer?.rateLimits
  if (limits === undefined && own === undefined) return true
  const caller = { route, identity: allow.identity }
  const counts =
    own?.map((limit) => named(limit, 'consumer', `consumer ${caller.identity.consumer?.id}`)) ?? []
  for (const limit of limits ?? []) {
    if (limit.per === 'credential') {
      counts.push(named(limit, 'credential', credentialKey(exchange, caller)))
    } else if (limit.per === 'consumer' && own === undefined) {
      counts.push(named(limit, 'consumer', consumerKey(exchange, caller)))
    }
  }
  return count(exchange, counts)
}

interface Caller {
  readonly route: Route
  readonly identity: Identity
}

function named({ requests, windowSeconds }: RateLimit, per: string, key: string): NamedCount {
  return { name: `${per}-${windowSeconds}s`, key: shortened(`${per} ${key}`), requests, windowSeconds }
}

/** Names that authorization servers give may be long, and many are remembered. */
function shortened(key: string): string {
  return key.length <= MAXIMUM_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url')
}

/** An Ingress counts as one: its paths are no way to more requests. */
function scopeOf({ ingress }: Route): string {
  return `${ingress.namespace}/${ingress.name}`
}

function addressKey({ view }: Exchange, route: Route): string {
  return `${scopeOf(route)} ${networkOf(view.clientAddress)}`
}

function consumerKey(exchange: Exchange, caller: Caller): string {
  const { consumer } = caller.identity
  if (consumer === undefined) return credentialKey(exchange, caller)
  return `${scopeOf(caller.route)} consumer ${consumer.id}`
}

/** A caller without a name is known by address. */
function credentialKey(exchange: Exchange, { route, identity: { policy, subject } }: Caller): string {
  return subject === undefined ? addressKey(exchange, route) : `${scopeOf(route)} ${policy} ${subject}`
}

/** Whoever has one IPv6 address has 2⁶⁴ of them: the network is what counts. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const front = groupsOf(head)
  const back = groupsOf(tail ?? '')
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  const groups = [...front, ...(tail === undefined ? [] : zeros), ...back].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

/** An IPv4 address at the end stands for two groups. */
function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? ['v4', 'v4'] : [group]))
}

function count(exchange: Exchange, counts: readonly NamedCount[]): boolean | Promise<boolean> {
  if (counts.length === 0) return true
  const counted = exchange.engine.rateLimiter.count(counts)
  return counted instanceof Promise
    ? counted.then((later) => follow(exchange, counts, later))
    : follow(exchange, counts, counted)
}

function follow(exchange: Exchange, counts: readonly NamedCount[], counted: readonly Counted[]): boolean {
  const last = counted.at(-1)
  const refused = last === undefined || !last.admitted
  tellLimits(exchange, counts, refused ? counted.slice(-1) : counted, refused ? counted.length - 1 : 0)
  if (!refused) return true
  respondProblem(exchange, 429, {
    message: 'Too many requests.',
    reason: 'rate_limited',
    headers: [['Retry-After', String(secondsOf(last?.resetMs ?? 1000))]],
  })
  return false
}

/**
 * Tells what is left, as draft-ietf-httpapi-ratelimit-headers-11 has it.
 *
 * @param first which of the counts `counted` begins with
 */
function tellLimits(
  exchange: Exchange,
  counts: readonly NamedCount[],
  counted: readonly Counted[],
  first: number,
): void {
  const policies = counts.map(
    ({ name, requests, windowSeconds }) => `"${name}";q=${requests};w=${windowSeconds}`,
  )
  const left = counted.map(
    ({ remaining, resetMs }, index) =>
      `"${counts[first + index]?.name}";r=${remaining};t=${secondsOf(resetMs)}`,
  )
  exchange.policyHeaders = [
    ...exchange.policyHeaders,
    ['RateLimit-Policy', policies.join(', ')],
    ['RateLimit', left.join(', ')],
  ]
}

function secondsOf(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000))
}
