import type { Readable } from 'node:stream'

/** What is asked for debugging. All of one process. */
export interface DebugSource {
  /**
   * The live routing table as YAML, secrets by name only.
   *
   * @param host Only the virtual host of that name; default all of the table.
   * @returns Nothing where there is no such host.
   */
  table(host?: string): string | undefined
  /**
   * Runs a profiler for so long.
   *
   * @param thread `main`, or the place of a proxy thread.
   * @returns A `.cpuprofile`; nothing where there is no such thread.
   */
  cpuProfile(thread: DebuggedThread, durationMs: number): Promise<string | undefined>
  /** @returns A `.heapsnapshot`, which holds every secret in memory; nothing where there is no such thread. */
  heapSnapshot(thread: DebuggedThread): Promise<Readable | undefined>
}

export type DebuggedThread = 'main' | number
