import type { Authorizer, AuthSnapshot } from '../auth/authorize.ts'
import type { AuthDecision } from '../auth/decision.ts'
import type { RequestFacts } from '../auth/request-facts.ts'
import type { AuthMethod, Policy } from '../table/policy.ts'
import type { Route, VirtualHost } from '../table/routing-table.ts'
import type { CarefulClient } from './careful-client.ts'
import type { FlowAnswer } from './explanation.ts'
import { remedyOf } from './remedies.ts'

/** In the order that credentials are looked for. */
const ORDER: readonly AuthMethod[] = [
  'session',
  'bearer',
  'introspection',
  'client_credentials',
  'authorization_code',
]

/** A matched request, and what authorizes it. */
export interface FlowQuestion {
  readonly snapshot: AuthSnapshot
  readonly host: VirtualHost
  readonly route: Route
  readonly facts: RequestFacts
  readonly client: CarefulClient
  /** With caches of its own: one flow must not profit from what another has asked. */
  createAuthorizer(): Authorizer
}

/** What each flow of each plugin of the route says when it is the only one: the real authorizer, with less to do. */
export async function flowAnswers(question: FlowQuestion): Promise<FlowAnswer[]> {
  const { snapshot, route } = question
  const answers: FlowAnswer[] = []
  const ids = route.action.kind === 'forward' ? route.action.policies : []
  for (const policy of ids.flatMap((id) => snapshot.table.policies[id] ?? [])) {
    for (const flow of ORDER) {
      if (policy.methods.includes(flow)) answers.push(await answerOf(question, policy, flow))
    }
  }
  return answers
}

async function answerOf(question: FlowQuestion, policy: Policy, flow: AuthMethod): Promise<FlowAnswer> {
  const { client, host, route, snapshot, facts } = question
  const alone: Policy = { ...policy, methods: [flow], logout: { ...policy.logout, methods: [] } }
  const narrowed: AuthSnapshot = {
    ...snapshot,
    secret: snapshot.secret,
    table: { ...snapshot.table, policies: { ...snapshot.table.policies, [policy.id]: alone } },
  }
  const only: Route = { ...route, action: { ...route.action, policies: [policy.id] } as Route['action'] }
  const before = client.withheldCalls()
  const authorizer = question.createAuthorizer()
  try {
    const decision = await authorizer.authorize(narrowed, host, only, facts)
    const withheld = client.withheldCalls().slice(before.length)
    const answer = withheld.length > 0 ? unknown(withheld) : (absent(decision, flow) ?? describe(decision))
    return { plugin: policy.id, flow, ...answer }
  } finally {
    authorizer.close?.()
  }
}

type Answer = Omit<FlowAnswer, 'plugin' | 'flow'>

/** What a flow looks for, where it found nothing. */
const ABSENT: Readonly<Record<AuthMethod, string>> = {
  session: 'the request has no session that could be used',
  bearer: 'no access token came where the plugin looks for one',
  introspection: 'no access token came where the plugin looks for one',
  client_credentials: 'no client id and secret came where the plugin looks for them (Authorization: Basic)',
  authorization_code: "only a browser on its way to a page is sent to a login: GET with 'Accept: text/html'",
}

/** The remedy is the same for all of them, and stands where the request is answered. */
function absent(decision: AuthDecision, flow: AuthMethod): Answer | undefined {
  if (decision.kind !== 'refuse' || decision.reason !== 'no_credential') return undefined
  return { verdict: 'refuse', status: decision.status, reason: decision.reason, found: ABSENT[flow] }
}

function unknown(withheld: readonly string[]): Answer {
  return { verdict: 'unknown', found: `would ask ${[...new Set(withheld)].join(', and ')}` }
}

function describe(decision: AuthDecision): Answer {
  if (decision.kind === 'allow') return { verdict: 'allow', found: describeAllow(decision) }
  if (decision.kind === 'redirect' || decision.kind === 'respond') {
    const { reason, status } = decision
    const found = decision.kind === 'redirect' ? 'sends the browser elsewhere' : 'answers in its own name'
    return { verdict: 'redirect', status, reason, found }
  }
  const { message, reason, detail } = decision
  const fix = remedyOf(reason)
  return {
    verdict: 'refuse',
    status: decision.kind === 'refuse' ? decision.status : 503,
    reason,
    found: detail === undefined ? message : `${message}: ${detail}`,
    ...(fix !== undefined && { fix }),
  }
}

/** Who was let in, by what is configured: no claim that names a person. */
export function describeAllow({ identity }: Extract<AuthDecision, { kind: 'allow' }>): string {
  const { consumer, method, policy } = identity
  const who =
    consumer === undefined ? '' : ` as consumer ${consumer.username ?? consumer.customId ?? consumer.id}`
  return method === 'anonymous'
    ? `lets it through without a credential${who}`
    : `${policy} lets it through by ${method}${who}`
}
