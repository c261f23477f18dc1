import type { Measurement } from './control-plane-measure.ts'

/** A target, and what was measured. */
export interface Verdict {
  readonly target: string
  readonly measured: string
  readonly met: boolean
}

const TEN_THOUSAND = 10_000
/** Ten times the objects may cost so many times as much: what is there anyway makes it less, noise more. */
const LINEAR = 15

/** A column for each size. */
export function printTable(machine: string, measured: readonly Measurement[]): void {
  const rows: Readonly<Record<string, (each: Measurement) => number | undefined>> = {
    'start to sources read, ms': (each) => each.startToSynced,
    'sources read to ready, ms': (each) => each.syncedToReady,
    'first compile, ms': (each) => each.firstCompile,
    'compile for one change, ms': (each) => each.compile,
    'change to live p50, ms': (each) => each.changeToLive.p50,
    'change to live p99, ms': (each) => each.changeToLive.p99,
    'change to live max, ms': (each) => each.changeToLive.max,
    'request p50, other changes, ms': (each) => each.latencyQuiet.p50,
    'request p50, ten changes/s, ms': (each) => each.latencyUnderChange.p50,
    'request p99.9, other changes, ms': (each) => each.latencyQuiet.p999,
    'request p99.9, ten changes/s, ms': (each) => each.latencyUnderChange.p999,
    'request max, other changes, ms': (each) => each.latencyQuiet.max,
    'request max, ten changes/s, ms': (each) => each.latencyUnderChange.max,
    'longest part of the first snapshot, CPU ms': (each) => each.longestFirstPart,
    'longest part of a later one, CPU ms': (each) => each.longestPart,
    'resident when ready, MiB': (each) => each.residentMiB,
    'resident at most, MiB': (each) => each.peakMiB,
    'memory per route, KiB': (each) => kibibytesPerRoute(measured, each),
    'status writes per second, all due': (each) => each.statusWrites.perSecond,
    'status writes, nothing due': (each) => each.statusWrites.again,
  }
  console.log(machine)
  console.table(
    Object.fromEntries(
      Object.entries(rows).map(([name, read]) => [
        name,
        Object.fromEntries(measured.map((each) => [`${each.size} Ingresses`, rounded(read(each))])),
      ]),
    ),
  )
}

/** Sets the measurements beside the targets; those that need a size that was not measured are left out. */
export function judge(measured: readonly Measurement[]): Verdict[] {
  const verdicts: Verdict[] = []
  const largest = measured.find(({ size }) => size === TEN_THOUSAND)
  if (largest !== undefined) {
    const { syncedToReady, changeToLive, longestPart, residentMiB, statusWrites } = largest
    verdicts.push(
      atMost('10,000 Ingresses ready after the sources were read', syncedToReady, 10_000, 'ms'),
      atMost('one change among 10,000 live, p99', changeToLive.p99, 300, 'ms'),
      atMost('a proxy thread kept from its requests, CPU', longestPart, 5, 'ms'),
      atMost('delay of requests by changes, p99.9', delayOf(largest), 5, 'ms'),
      atMost('resident with two threads', residentMiB, 400, 'MiB'),
      atMost('status writes a second when all are due', statusWrites.perSecond, 60, ''),
    )
  }
  const thousand = measured.find(({ size }) => size === TEN_THOUSAND / 10)
  if (largest !== undefined && thousand !== undefined) {
    const { syncedToReady, firstCompile } = largest
    verdicts.push(
      atMost('ready, 10,000 beside 1,000', syncedToReady / thousand.syncedToReady, LINEAR, '×'),
      atMost('first compile, 10,000 beside 1,000', firstCompile / thousand.firstCompile, LINEAR, '×'),
    )
  }
  for (const { size, statusWrites } of measured) {
    if (statusWrites.again === undefined) continue
    verdicts.push(atMost(`status writes when nothing is due, ${size}`, statusWrites.again, 0, ''))
  }
  return verdicts
}

function delayOf({ latencyQuiet, latencyUnderChange }: Measurement): number {
  return Math.max(0, latencyUnderChange.p999 - latencyQuiet.p999)
}

function atMost(target: string, value: number, limit: number, unit: string): Verdict {
  return {
    target: `${target}: ${limit} ${unit}`.trim(),
    measured: `${rounded(value)} ${unit}`.trim(),
    met: value <= limit,
  }
}

/** Beside the smallest measurement: what one more route costs. */
function kibibytesPerRoute(measured: readonly Measurement[], each: Measurement): number | undefined {
  const [smallest] = measured
  if (smallest === undefined || each.size === smallest.size) return undefined
  return ((each.residentMiB - smallest.residentMiB) * 1024) / (each.size - smallest.size)
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(value < 100 ? 1 : 0))
}
