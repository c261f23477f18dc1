export interface RequestTarget {
  readonly ok: true
  /** Normal form of RFC 3986 §6.2.2: what routes are matched on. */
  readonly path: string
  /** Without `?`; empty where there is none. */
  readonly query: string
  readonly encodedSlash: boolean
  readonly doubleSlash: boolean
}
export type TargetReading = RequestTarget | { readonly ok: false; readonly message: string }
/** Reads an origin-form target (RFC 9112 §3.2.1). */
export declare function readTarget(target: string): TargetReading
