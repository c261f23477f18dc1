import { objectKey } from '../api/object.ts'
import type { Diagnostics } from './diagnostics.ts'
import { compareText } from './order.ts'
import type { HostRules, PathEntry } from './rules.ts'

/** The entries of a host that count: each path once, in order of precedence, and at most one default. */
export interface ResolvedRules {
  readonly host: string
  readonly entries: readonly PathEntry[]
  readonly defaultEntry?: PathEntry
}

/**
 * Settles which entry has a path that several name, and tells the losers. `/foo/` counts as longer than `/foo`,
 * although both match the same requests; else the oldest Ingress wins, and within one the first as written. What is
 * closed on a guess has a path only where nobody names it.
 */
export function resolveConflicts(rules: HostRules, diagnostics: Diagnostics): ResolvedRules {
  const winners = new Map<string, PathEntry>()
  const longerFirst = [...rules.entries].sort(
    (a, b) => Number(a.isGuess) - Number(b.isGuess) || Number(b.trailingSlash) - Number(a.trailingSlash),
  )
  for (const entry of longerFirst) {
    const key = `${entry.pathType} ${entry.path}`
    const winner = winners.get(key)
    if (winner === undefined) winners.set(key, entry)
    else if (!entry.isGuess) reportPathConflict(rules.host, entry, winner, diagnostics)
  }
  const [defaultEntry, ...others] = rules.defaults
  for (const other of others) reportDefaultConflict(rules.host, other, defaultEntry, diagnostics)
  return {
    host: rules.host,
    entries: [...winners.values()].sort(byPrecedence),
    ...(defaultEntry && { defaultEntry }),
  }
}

/** Longer paths first, Exact before Prefix at equal length; then by path, for an order that is always the same. */
function byPrecedence(a: PathEntry, b: PathEntry): number {
  return b.path.length - a.path.length || compareText(a.pathType, b.pathType) || compareText(a.path, b.path)
}

function reportPathConflict(
  host: string,
  loser: PathEntry,
  winner: PathEntry,
  diagnostics: Diagnostics,
): void {
  diagnostics.report(loser.ingress, {
    severity: 'warning',
    reason: 'PathConflict',
    path: loser.place,
    message:
      `is ${loser.pathType} ${loser.path} of ${hostText(host)}, which ${winner.place} of Ingress ` +
      `${objectKey(winner.ingress.metadata)} has already; that one is served`,
    remedy: 'Remove one of the two.',
  })
}

function reportDefaultConflict(
  host: string,
  loser: PathEntry,
  winner: PathEntry | undefined,
  diagnostics: Diagnostics,
): void {
  if (winner === undefined) return
  diagnostics.report(loser.ingress, {
    severity: 'warning',
    reason: 'DefaultBackendConflict',
    path: loser.place,
    message:
      `is not the default of ${hostText(host)}: the older Ingress ` +
      `${objectKey(winner.ingress.metadata)} has one already; that one is served`,
    remedy: 'Remove one of the two.',
  })
}

function hostText(host: string): string {
  return host === '' ? 'the hosts that no Ingress names' : `host ${host}`
}
