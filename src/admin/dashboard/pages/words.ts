import { html, type Html } from '../html.ts'

const WHOLE = new Intl.NumberFormat('en-US')
const SECOND_MS = 1000
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', SECOND_MS],
] as const

/** 10000 as 10,000. */
export function count(number: number): string {
  return WHOLE.format(number)
}

/** A rate or duration with as many digits as tell something. */
export function figure(number: number): string {
  if (number === 0) return '0'
  if (Math.abs(number) < 0.01) return '<0.01'
  if (Math.abs(number) >= 100) return count(Math.round(number))
  return String(Number(number.toPrecision(3)))
}

/** `1 route`, `2 routes`. */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** A duration in its largest unit: `3 min`. */
export function roughly(durationMs: number): string {
  const [unit, unitMs] = UNITS.find(([, size]) => Math.abs(durationMs) >= size) ?? ['s', SECOND_MS]
  return `${Math.floor(Math.abs(durationMs) / unitMs)} ${unit}`
}

/** A point in time in UTC, and how far it is from now. */
export function moment(atMs: number, nowMs: number): Html {
  const iso = new Date(atMs).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>
    <span class="quiet">${distance(atMs, nowMs)}</span>`
}

/** How far it is from now, where there is no room for more. */
export function relativeMoment(atMs: number, nowMs: number): Html {
  const iso = new Date(atMs).toISOString()
  return html`<time datetime="${iso}" title="${iso}">${distance(atMs, nowMs)}</time>`
}

function distance(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? `${roughly(nowMs - atMs)} ago` : `in ${roughly(atMs - nowMs)}`
}

/** Time of day, for tables whose rows are of one day. */
export function timeOfDay(atMs: number): Html {
  const iso = new Date(atMs).toISOString()
  return html`<time datetime="${iso}">${iso.slice(11, 19)}</time>`
}
