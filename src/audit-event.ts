/** What an audit keeps of who did what, and why. Never a token, a code, a cookie or a secret. */
export interface AuditEvent {
  readonly event: 'login' | 'logout' | 'refresh' | 'refusal' | 'session' | 'websocket'
  /**
   * `ended`: the session is over, as its refresh token is no good any more. `expired`: so it is, by one of its timeouts.
   * `cut`: the WebSocket was closed, as its request would not be let through any more.
   */
  readonly outcome: 'ok' | 'refused' | 'unavailable' | 'ended' | 'expired' | 'cut'
  /** How a logout came: absent for what a browser does itself. */
  readonly channel?: 'back' | 'front'
  /** A stable word; absent where there is nothing to explain. */
  readonly reason?: string
  /** In words of ours, or an error code of the authorization server. */
  readonly detail?: string
  /** Id of the policy. */
  readonly plugin?: string
  /** `sub`, as the authorization server knows the caller. */
  readonly subject?: string
  /** As people know the caller. */
  readonly username?: string
  /** `sid`, by which the authorization server names a session of its own; it opens nothing. */
  readonly serverSession?: string
  readonly client: string
  readonly method: string
  readonly host: string
  /** Without query. */
  readonly path: string
  readonly route?: string
  readonly traceId?: string
}

/** Is told of what an audit keeps. */
export interface AuditObserver {
  happened(event: AuditEvent): void
}
