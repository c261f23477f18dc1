import type { UpstreamId } from '../../table/routing-table.ts'
import type { Canary, ForwardingSettings } from '../../table/upstream-settings.ts'
import type { Exchange } from '../exchange.ts'
import { readAffinity } from './affinity.ts'

/** Where an authorized request goes, and how it is treated on the way. */
export interface Leg {
  readonly upstream: UpstreamId
  readonly forwarding?: ForwardingSettings
}

/** The leg of a request that its route's guard has let through: both legs lie behind the same guard. */
export function legOf(exchange: Exchange): Leg {
  const { action, snapshot } = exchange
  const { canary } = action
  if (canary === undefined || snapshot.rotation(canary.upstream).size === 0) return action
  return goesToCanary(exchange, canary) ? canary : action
}

/** The header decides before the cookie, and the cookie before the weight. */
function goesToCanary(exchange: Exchange, canary: Canary): boolean {
  const asked = byHeader(exchange, canary)
  if (asked !== undefined) return asked
  // So that taking a canary back, or finishing it, reaches those with a cookie too.
  if (canary.weight === 0 || canary.weight === 100) return canary.weight === 100
  if (isPinned(exchange, canary)) return true
  if (isPinned(exchange, exchange.action)) return false
  return byWeight(exchange, canary.weight)
}

function byHeader({ request }: Exchange, { header }: Canary): boolean | undefined {
  if (header === undefined) return undefined
  const value = request.headers[header.name]
  if (header.value !== undefined) return value === header.value ? true : undefined
  if (value === 'always') return true
  return value === 'never' ? false : undefined
}

function isPinned(exchange: Exchange, { upstream, forwarding }: Leg): boolean {
  const name = forwarding?.affinityCookie
  if (name === undefined) return false
  const token = readAffinity(exchange.request.headers.cookie, name, exchange.view.scheme === 'https')
  return token !== '' && exchange.snapshot.rotation(upstream).endpointOf(token) !== undefined
}

/** Spread evenly: at 10 %, every tenth. */
function byWeight({ action, snapshot }: Exchange, weight: number): boolean {
  const { state } = snapshot.rotation(action.upstream)
  const turn = state.canaryTurn
  state.canaryTurn = (turn + 1) % 100
  return Math.floor(((turn + 1) * weight) / 100) > Math.floor((turn * weight) / 100)
}
