import type { Reason } from './reasons.ts'

/** Something that a person should know about an input object, as data. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning' | 'info'
  readonly reason: Reason
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }
  /** Place inside the object, for example `spec.rules[0].host` or `metadata.annotations[ostiary.dev/plugins]`. */
  readonly path: string
  /** What is wrong. Never holds a secret. */
  readonly message: string
  /** What to do about it, as an instruction; a command where one helps. */
  readonly remedy: string
  readonly origin?: { readonly file: string; readonly line: number }
}

/** metav1.Condition without the times, which the status writer adds. */
export interface Condition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Warning'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: Reason
  readonly message: string
}

/** The status that an object should have. */
export interface ObjectStatus {
  readonly kind: 'OIDCPlugin' | 'Consumer'
  readonly namespace: string
  readonly name: string
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
}

/**
 * Beside another installation of Ostiary, whose conditions an OIDCPlugin has: those of the one that serves the oldest
 * Ingress naming it. `nobody`: no Ingress names it, so that whoever came first goes on.
 */
export type PluginClaim = 'others' | 'nobody'
