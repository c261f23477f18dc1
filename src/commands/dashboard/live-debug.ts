import { getHeapSnapshot, startCpuProfile } from 'node:v8'
import type { DebuggedThread, DebugSource } from '../../admin/debug/debug-source.ts'
import type { Timers } from '../../clock.ts'
import { printTable } from '../../compiler/print.ts'
import type { ThreadPool } from '../../proxy/thread-pool.ts'
import type { RoutingTable } from '../../table/routing-table.ts'

/** What is debugged: this process. */
export interface DebugWorld {
  /** That all threads run on. */
  readonly table: () => RoutingTable
  readonly threads: Pick<ThreadPool, 'startCpuProfile' | 'heapSnapshot'>
  readonly timers: Timers
}

/** The answers of the live process. */
export function createLiveDebug({ table, threads, timers }: DebugWorld): DebugSource {
  const start = async (thread: DebuggedThread): Promise<{ stop(): string | Promise<string> } | undefined> =>
    thread === 'main' ? startCpuProfile() : threads.startCpuProfile(thread)
  return {
    table: (host) => printTable(table(), host),
    async cpuProfile(thread, durationMs) {
      const profile = await start(thread)
      if (profile === undefined) return undefined
      await new Promise<void>((resolve) => void timers.after(durationMs, resolve))
      return profile.stop()
    },
    heapSnapshot: async (thread) => (thread === 'main' ? getHeapSnapshot() : threads.heapSnapshot(thread)),
  }
}
