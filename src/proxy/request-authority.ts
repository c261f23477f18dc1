export interface RequestAuthority {
  readonly ok: true
  /** Lower case, without port and trailing dot; empty where HTTP/1.0 sent no Host. */
  readonly host: string
  /** The Host field in lower case, with its port where one was sent. */
  readonly authority: string
  /** The target in origin-form. */
  readonly target: string
}
export type AuthorityReading = RequestAuthority | { readonly ok: false; readonly message: string }
export declare function readAuthority(rawHeaders: readonly string[], target: string): AuthorityReading
