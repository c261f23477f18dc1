import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Sample } from './sample.ts'

/** The medians of one scenario's rounds. */
export interface Row {
  readonly scenario: string
  readonly cpuMicrosPerRequest: number
  /** CPU in multiples of the bare forwarder's in the same run. */
  readonly timesFloor: number
  /** What it takes more than the scenario before the last comma of its name. */
  readonly addedMicros?: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly memoryMiB: number
}

/** A run as it is written and committed. */
export interface Report {
  readonly machine: string
  readonly connections: number
  readonly rounds: number
  readonly rows: readonly Row[]
}

/** @param versions Of the peers that took part. */
export function machine(versions: readonly string[]): string {
  const processor = cpus()[0]?.model.trim() ?? 'unknown CPU'
  return [`${processor}, ${cpus().length} CPUs`, `Node ${process.version.slice(1)}`, ...versions].join(', ')
}

/** @param samples By scenario; the first is the floor. */
export function rowsOf(samples: ReadonlyMap<string, readonly Sample[]>): readonly Row[] {
  const [floor = []] = samples.values()
  const floorMicros = median(floor.map(microsPerRequest))
  return [...samples].map(([scenario, taken]) => ({
    scenario,
    cpuMicrosPerRequest: rounded(median(taken.map(microsPerRequest)), 1),
    ...addedTo(scenario, taken, samples),
    timesFloor: rounded(median(taken.map(microsPerRequest)) / floorMicros, 2),
    requestsPerSecond: rounded(median(taken.map((each) => (each.requests / each.durationMs) * 1000)), 0),
    p50Ms: rounded(median(taken.map(({ p50Ms }) => p50Ms)), 2),
    p99Ms: rounded(median(taken.map(({ p99Ms }) => p99Ms)), 2),
    memoryMiB: rounded(median(taken.map(({ memoryMiB }) => memoryMiB)), 0),
  }))
}

function addedTo(
  scenario: string,
  taken: readonly Sample[],
  samples: ReadonlyMap<string, readonly Sample[]>,
): Pick<Row, 'addedMicros'> {
  const base = samples.get(scenario.slice(0, Math.max(0, scenario.lastIndexOf(', '))))
  if (base === undefined) return {}
  const difference = median(taken.map(microsPerRequest)) - median(base.map(microsPerRequest))
  return { addedMicros: rounded(difference, 1) }
}

/**
 * Prints the table. Beside each row stands its × floor as a ratio to that of the last committed run, which a machine that
 * is faster or slower does not change.
 *
 * @param file Of the committed run; it may be absent.
 */
export function printReport({ machine: on, connections, rows }: Report, file: string): void {
  const last = new Map(committedRows(file).map((row) => [row.scenario, row.timesFloor]))
  console.log(`${on}, ${connections} connections`)
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.scenario,
        {
          'CPU µs/request': row.cpuMicrosPerRequest,
          '× floor': row.timesFloor,
          '+ µs': row.addedMicros ?? '',
          '÷ last': ratio(row.timesFloor, last.get(row.scenario)),
          'requests/s': row.requestsPerSecond,
          'p50 ms': row.p50Ms,
          'p99 ms': row.p99Ms,
          'memory MiB': row.memoryMiB,
        },
      ]),
    ),
  )
}

export function writeReport(report: Report, file: string): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
}

function committedRows(file: string): readonly Row[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report).rows : []
}

function ratio(now: number, last: number | undefined): number | string {
  return last === undefined ? '' : rounded(now / last, 2)
}

function microsPerRequest({ cpuMicros, requests }: Sample): number {
  return cpuMicros / requests
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits))
}
