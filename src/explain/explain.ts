import { randomBytes } from 'node:crypto'
import type { AuthorizationServerClient } from '../auth/authorization-server/authorization-server-client.ts'
import type { Authorizer, AuthSnapshot } from '../auth/authorize.ts'
import { createAuthorizer } from '../auth/create-authorizer.ts'
import type { Resources } from '../api/resources.ts'
import type { Clock } from '../clock.ts'
import type { CompileResult } from '../compiler/options.ts'
import type { LiveSnapshot } from '../proxy/active-snapshot.ts'
import { rehearseRequest, type Rehearsal } from '../proxy/rehearsal.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import { assumptionsOf } from './assumptions.ts'
import { createCarefulClient, type CarefulClient } from './careful-client.ts'
import { describeCredentials } from './credential-words.ts'
import { explainedSnapshot } from './explained-snapshot.ts'
import { explainedSteps } from './explained-steps.ts'
import type { Explanation } from './explanation.ts'
import { flowAnswers } from './flow-answers.ts'
import { nearHosts, nearRoutes, uncountedIngresses } from './near-misses.ts'
import { outcomeOf, type Decided } from './outcome.ts'
import type { Question } from './question.ts'
import { relevantDiagnostics } from './relevant-diagnostics.ts'

/** What is explained against. Nothing of it is changed. */
export interface ExplainedWorld {
  readonly resources: Resources
  /** Of those resources. */
  readonly result: CompileResult
  /** What `explainedSnapshot` makes of it, for who asks again and again. Default: it is made. */
  readonly snapshot?: LiveSnapshot
  /** The compiler's, and whatever else is known. */
  readonly diagnostics: readonly Diagnostic[]
  readonly clock: Clock
  readonly authorizationServers: AuthorizationServerClient
  /** Authorization servers are not asked. */
  readonly isOffline: boolean
  /** As `ProxyServerOptions` has them. */
  readonly trustedProxies?: readonly string[]
  readonly httpsRedirectPort?: number
}

/**
 * Says step by step what Ostiary would do with a request, by doing it: the steps are the pipeline's and the words on
 * credentials the authorizer's. No upstream is asked, no session is opened, and nothing is used up: see
 * `createCarefulClient`.
 */
export async function explain(question: Question, world: ExplainedWorld): Promise<Explanation> {
  const { clock, isOffline, result } = world
  const snapshot = world.snapshot ?? explainedSnapshot(result, randomBytes(32).toString('base64url'))
  const client = createCarefulClient(world.authorizationServers, isOffline)
  const create = (): Authorizer => createAuthorizer({ clock, authorizationServers: client, randomBytes })
  const authorizer = create()
  const decisions: Decided[] = []
  try {
    const rehearsal = await rehearseRequest(question.request, {
      snapshot,
      clock,
      authorizer: recording(authorizer, decisions),
      ...(world.trustedProxies !== undefined && { trustedProxies: world.trustedProxies }),
      ...(world.httpsRedirectPort !== undefined && { httpsRedirectPort: world.httpsRedirectPort }),
    })
    const decision = decisions.at(-1)
    const outcome = outcomeOf(rehearsal, { decision, withheld: client.withheldCalls(), table: result.table })
    const { serverName } = question.request
    return {
      request: question.told,
      outcome,
      steps: explainedSteps(rehearsal, { live: snapshot.live, serverName, outcome, decision }),
      ...(await authorizationOf(rehearsal, snapshot, { client, createAuthorizer: create })),
      assumptions: assumptionsOf(rehearsal, question),
      ...surroundingsOf(rehearsal, world, question),
    }
  } finally {
    authorizer.close?.()
  }
}

/** Notes what is decided; the last decision is the one that counts. */
function recording(authorizer: Authorizer, decisions: Decided[]): Authorizer {
  const record = async <D extends Decided>(decision: D | Promise<D>): Promise<D> => {
    const decided = await decision
    decisions.push(decided)
    return decided
  }
  return {
    authorize: (...args) => record(authorizer.authorize(...args)),
    callback: (...args) => record(authorizer.callback(...args)),
    reserved: (...args) => record(authorizer.reserved(...args)),
  }
}

/** What each flow says for itself, where the request came so far. */
async function authorizationOf(
  { found, steps }: Rehearsal,
  { live, sessionKeys }: LiveSnapshot,
  parts: { readonly client: CarefulClient; createAuthorizer(): Authorizer },
): Promise<Pick<Explanation, 'credentials' | 'flows'>> {
  const { facts, route, virtualHost } = found
  if (
    !steps.includes('authorize') ||
    facts === undefined ||
    route === undefined ||
    virtualHost === undefined
  ) {
    return { credentials: [], flows: [] }
  }
  const snapshot: AuthSnapshot = { table: live.judging, secret: (id) => live.secrets.get(id), sessionKeys }
  return {
    credentials: describeCredentials(live.judging, route, facts),
    flows: await flowAnswers({ snapshot, host: virtualHost, route, facts, ...parts }),
  }
}

function surroundingsOf(
  { found: { authority, route, target, virtualHost } }: Rehearsal,
  { diagnostics, resources, result }: ExplainedWorld,
  question: Question,
): Pick<Explanation, 'nearMisses' | 'diagnostics'> {
  const host = authority?.host ?? question.told.host
  const isNamed = virtualHost !== undefined && virtualHost.host !== ''
  const hosts = isNamed || authority === undefined ? [] : nearHosts(host, result)
  const routes =
    virtualHost === undefined || target === undefined ? [] : nearRoutes(target.path, virtualHost, route)
  return {
    nearMisses: [...hosts, ...uncountedIngresses(host, resources, result), ...routes],
    diagnostics: relevantDiagnostics(diagnostics, resources, { host, route }),
  }
}
