/** What came of a check: good, bad, worth knowing, or not looked at. */
export type Outcome = 'ok' | 'failed' | 'warning' | 'skipped'

export type CheckName =
  | 'plugin'
  | 'routes'
  | 'discovery'
  | 'tls'
  | 'clock'
  | 'keys'
  | 'client'
  | 'scopes'
  | 'audience'
  | 'redirect URI'
  | 'groups'
  | 'roles'

/** One line of the checklist. Holds no secret, no token and no cookie. */
export interface Finding {
  readonly check: CheckName
  readonly outcome: Outcome
  /** What was found, as half a sentence. */
  readonly found: string
  /** What to do about it; with `failed` and `warning` only. */
  readonly fix?: string
}

/** Everything that was found about one plugin. */
export interface Report {
  /** `namespace/name` */
  readonly plugin: string
  /** Absent where the plugin is not there, or not accepted. */
  readonly issuer?: string
  readonly findings: readonly Finding[]
}

export function ok(check: CheckName, found: string): Finding {
  return { check, outcome: 'ok', found }
}

export function failed(check: CheckName, found: string, fix: string): Finding {
  return { check, outcome: 'failed', found, fix }
}

export function warning(check: CheckName, found: string, fix: string): Finding {
  return { check, outcome: 'warning', found, fix }
}

export function skipped(check: CheckName, found: string): Finding {
  return { check, outcome: 'skipped', found }
}
