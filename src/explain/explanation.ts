import type { Diagnostic } from '../table/diagnostic.ts'
import type { AuthMethod, PolicyId } from '../table/policy.ts'

/** What a step did with the request: let it on, answered it, or cannot be told without asking. */
export type Verdict = 'passed' | 'answered' | 'unknown'

/** One thing that happens to a request on its way. Like all that follows it holds no secret, token or cookie. */
export interface ExplainedStep {
  /** A word or two: `route`, `authorization`. */
  readonly step: string
  readonly verdict: Verdict
  /** What was found, as half a sentence. */
  readonly found: string
  readonly details: readonly string[]
  /** What to do about an answer that was not meant. */
  readonly fix?: string
}

/** What a plugin would say with one of its flows alone. */
export interface FlowAnswer {
  readonly plugin: PolicyId
  readonly flow: AuthMethod
  readonly verdict: 'allow' | 'redirect' | 'refuse' | 'unknown'
  /** Of the answer; absent where the request would go on, and where nobody can tell. */
  readonly status?: number
  /** A stable word; see docs/troubleshooting.md. */
  readonly reason?: string
  readonly found: string
  readonly fix?: string
}

/** What becomes of the request in the end. */
export type Outcome =
  | { readonly kind: 'forwarded'; readonly upstream: string; readonly path: string }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly reason?: string
      readonly message?: string
      /** Header fields of the answer that say more; queries by the names of their parameters. */
      readonly headers: readonly string[]
      readonly fix?: string
    }
  /** It depends on what was not asked. */
  | { readonly kind: 'unknown'; readonly wouldAsk: readonly string[] }

/** Something that nearly took the request, and why it did not. */
export interface NearMiss {
  readonly kind: 'host' | 'ingress' | 'route'
  readonly name: string
  readonly why: string
}

/** The request as it was understood, without values that may be secrets. */
export interface ExplainedRequest {
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** The Host field. */
  readonly host: string
  /** Without query. */
  readonly path: string
  readonly queryParameters: readonly string[]
  readonly headers: readonly string[]
  /** Where its connection comes from. */
  readonly from: string
}

/** The way of a request, as data. */
export interface Explanation {
  readonly request: ExplainedRequest
  readonly outcome: Outcome
  readonly steps: readonly ExplainedStep[]
  /** What the request carries to be let in by, where the route asks for that; of tokens a few claims. */
  readonly credentials: readonly string[]
  /** Of each plugin of the route and each of its flows, in the order that they are tried. */
  readonly flows: readonly FlowAnswer[]
  /** What is taken for granted here and may be otherwise for the real request. */
  readonly assumptions: readonly string[]
  readonly nearMisses: readonly NearMiss[]
  /** Of the objects on the way. */
  readonly diagnostics: readonly Diagnostic[]
}
