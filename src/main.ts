#!/usr/bin/env node
const stop = new AbortController()
// Once each: a second signal ends the process at once, as people who press Ctrl-C twice expect.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())

// Loaded after that: it takes a while, and the first process of a container loses a signal that it does not handle.
const { runCli } = await import('./cli.ts')

// Only here is the process's end decided: everything else returns or throws.
process.exitCode = await runCli(process.argv.slice(2), stop.signal)
