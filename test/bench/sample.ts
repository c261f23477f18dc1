import type { ChildProcess } from 'node:child_process'
import type { LoadOrder, LoadResult } from './load.ts'
import { cpuMicroseconds, nextMessage, residentMebibytes, type Measured } from './processes.ts'
import type { Scenario } from './scenarios.ts'

/** What is measured: its processes, and the port that they serve. */
export interface Target {
  readonly processes: readonly ChildProcess[]
  readonly port: number
}

/** What one round of a scenario gave. */
export interface Sample extends LoadResult {
  readonly cpuMicros: number
  readonly memoryMiB: number
}

/** How long, and over how many connections. */
export interface Pace {
  readonly connections: number
  readonly durationMs: number
  /** Absent: as many as are answered. */
  readonly ratePerSecond?: number
}

/** Puts load on one scenario, and reads the CPU that its processes used for it. Any answer but 200 is an error. */
export async function sample(
  scenario: Scenario,
  target: Target,
  load: Measured,
  pace: Pace,
): Promise<Sample> {
  const { path, headers } = scenario
  const order: LoadOrder = { origin: `http://127.0.0.1:${target.port}`, path, headers, ...pace }
  const before = sum(target.processes.map(cpuMicroseconds))
  load.child.send(order)
  const result = await nextMessage<LoadResult & { error?: string }>(load.child)
  const cpuMicros = sum(target.processes.map(cpuMicroseconds)) - before
  if (result.error !== undefined) throw new Error(`${scenario.name}: ${result.error}`)
  const wrong = Object.keys(result.statuses).filter((status) => status !== '200')
  if (wrong.length > 0) {
    throw new Error(`${scenario.name}: answers other than 200: ${JSON.stringify(result.statuses)}`)
  }
  return { ...result, cpuMicros, memoryMiB: sum(target.processes.map(residentMebibytes)) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
