import type { Asked } from './ask.ts'
import { failed, ok, skipped, warning, type Finding } from './finding.ts'

/** A Date header has whole seconds, and the way takes its time. */
const ACCURACY_MS = 2000
/** Ostiary takes an `iat` so far ahead for ordinary skew. */
const ALARM_MS = 60_000

/**
 * Compares this machine's clock with the server's (RFC 9110 §6.6.1, Date). Where this clock is ahead, tokens expire
 * early; where it is behind, fresh ones are not valid yet and expired ones pass.
 */
export function checkClock(answer: Asked | undefined, leewaySeconds: number): Finding {
  const aheadMs = serverAheadMs(answer)
  if (aheadMs === undefined) return skipped('clock', 'the server told no time')
  const skewMs = Math.abs(aheadMs)
  const seconds = Math.round(skewMs / 1000)
  if (skewMs <= ACCURACY_MS) return ok('clock', 'it agrees with the server within 2 s')
  const found = `this machine is ${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the server`
  if (skewMs <= leewaySeconds * 1000) return ok('clock', `${found}, within spec.leeway`)
  const fix = `Synchronise this machine's clock (chrony, systemd-timesyncd), or set spec.leeway: ${seconds + 1}.`
  return (skewMs > ALARM_MS ? failed : warning)('clock', found, fix)
}

function serverAheadMs(answer: Asked | undefined): number | undefined {
  if (!answer?.ok) return undefined
  const { date, age } = answer.headers
  const dateMs = typeof date === 'string' ? Date.parse(date) : Number.NaN
  if (Number.isNaN(dateMs)) return undefined
  const ageMs = typeof age === 'string' && /^\d{1,7}$/.test(age) ? Number(age) * 1000 : 0
  return dateMs + 500 + ageMs - answer.atMs
}
