#!/usr/bin/env node
import { constants } from 'node:os'

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // The second ends the process at once, as people who press Ctrl-C twice expect. Not by the signal's default action:
    // the first process of a container has none.
    if (stop.signal.aborted) process.exit(128 + constants.signals[signal])
    stop.abort()
  })
}

// Loaded after that: it takes a while, and the first process of a container loses a signal that it does not handle.
const { runCli } = await import('./cli.ts')

// Only here is the process's end decided: everything else returns or throws.
process.exitCode = await runCli(process.argv.slice(2), stop.signal)
