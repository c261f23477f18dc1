/** What is done with Redis, as metrics name it. */
export type SessionOperation =
  'read' | 'create' | 'update' | 'touch' | 'delete' | 'delete_by' | 'lock' | 'unlock' | 'claim'

/** How a refresh of a session's tokens went. */
export type RefreshOutcome = 'refreshed' | 'ended' | 'refused' | 'unavailable'

/** Is told what becomes of sessions. Nothing that it is told is a credential. */
export interface SessionObserver {
  operated(operation: SessionOperation, outcome: 'ok' | 'unavailable'): void
  refreshed(outcome: RefreshOutcome): void
  /** A login was kept. */
  started(): void
  /** A session was put into cookies, chunks and names included. */
  sealed(cookieBytes: number): void
}
