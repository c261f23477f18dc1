import type { Policy } from '../table/policy.ts'
import type { Route, JudgingTable } from '../table/routing-table.ts'
import { mayLogOut } from './logout/find-logout.ts'

/** What a route's policies mean for its requests, worked out once per snapshot. */
export interface RoutePlan {
  /** Differs between all plans that an authorizer ever made: part of cache keys. */
  readonly id: number
  readonly table: JudgingTable
  readonly route: Route
  /** In the order of the annotation; never empty. */
  readonly policies: readonly Policy[]
  /** The policy whose messages are used where none was chosen. */
  readonly first: Policy
  /** The first policy of each realm that takes sessions. */
  readonly sessions: readonly Policy[]
  /** Policies that take tokens, by signature or by introspection. */
  readonly tokens: readonly Policy[]
  /** The only policy that client id and secret are sent to: they name no issuer. */
  readonly clients: Policy | undefined
  readonly login: Policy | undefined
  readonly anonymous: Policy | undefined
  /** Policies that let requests to this route log out. */
  readonly logouts: readonly Policy[]
  /** One policy with `runOnPreflight` is enough to authenticate preflights. */
  readonly preflightsPass: boolean
  readonly readsForm: boolean
  /** Tokens are looked for in the usual headers and nowhere else. */
  readonly tokensInHeadersOnly: boolean
  /** Lower-case names that policies here may set, and that no client may therefore send; identity headers aside. */
  readonly managedHeaders: readonly string[]
}

/** Makes plans and keeps them as long as their routes live. */
export class RoutePlans {
  readonly #plans = new WeakMap<Route, RoutePlan>()
  #lastId = 0

  /**
   * The plan of a route of this table. `undefined` where a policy is missing from the table, or none is named: nothing
   * may pass then.
   */
  get(table: JudgingTable, route: Route): RoutePlan | undefined {
    const known = this.#plans.get(route)
    // A route object may be carried over into the next table, whose policies and consumers differ.
    if (known !== undefined && known.table === table) return known
    const policies = policiesOf(table, route)
    const first = policies?.[0]
    if (policies === undefined || first === undefined) return undefined
    this.#lastId += 1
    const plan: RoutePlan = { id: this.#lastId, table, route, policies, first, ...rolesOf(policies) }
    this.#plans.set(route, plan)
    return plan
  }
}

function policiesOf(table: JudgingTable, route: Route): readonly Policy[] | undefined {
  if (route.action.kind !== 'forward') return undefined
  const policies: Policy[] = []
  for (const id of route.action.policies) {
    const policy = Object.hasOwn(table.policies, id) ? table.policies[id] : undefined
    if (policy === undefined) return undefined
    policies.push(policy)
  }
  return policies
}

function rolesOf(
  policies: readonly Policy[],
): Omit<RoutePlan, 'id' | 'table' | 'route' | 'policies' | 'first'> {
  const allowing = (method: Policy['methods'][number]): Policy[] =>
    policies.filter((policy) => policy.methods.includes(method))
  return {
    sessions: allowing('session').filter(isFirstOfRealm),
    tokens: policies.filter(takesTokens),
    clients: allowing('client_credentials')[0],
    login: allowing('authorization_code')[0],
    anonymous: policies.find((policy) => policy.consumer.anonymous !== undefined),
    logouts: policies.filter(mayLogOut),
    preflightsPass: !policies.some((policy) => policy.runOnPreflight),
    readsForm: policies.some(readsForm),
    tokensInHeadersOnly: policies
      .filter(takesTokens)
      .every(({ bearer }) => bearer.places.join() === 'header' && bearer.headerName === undefined),
    managedHeaders: [...new Set(policies.flatMap(headersOf))],
  }
}

function isFirstOfRealm(policy: Policy, index: number, all: readonly Policy[]): boolean {
  return all.findIndex((other) => other.session.realm === policy.session.realm) === index
}

function takesTokens(policy: Policy): boolean {
  return policy.methods.includes('bearer') || policy.methods.includes('introspection')
}

function readsForm(policy: Policy): boolean {
  return (
    (takesTokens(policy) && policy.bearer.places.includes('body')) ||
    (policy.methods.includes('client_credentials') && policy.clientCredentials.places.includes('body'))
  )
}

/** The access token's header is among them also where no token is sent: upstreams take it for checked. */
function headersOf(policy: Policy): string[] {
  const { accessTokenHeader, idTokenHeader, introspectionHeader, userInfoHeader } = policy
  const more = [accessTokenHeader?.name, idTokenHeader, introspectionHeader, userInfoHeader]
  return [...policy.upstreamHeaders.map((each) => each.header), ...more.filter((name) => name !== undefined)]
}
