import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

/** What `npm run check` runs, in this order; all of them, so that one run shows every problem. */
const STEPS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '--noEmit'],
  ['types of the dashboard in the browser', 'tsc', '-p', 'tsconfig.browser.json'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'prettier', '--check', '.'],
  ['dead code and dependencies', 'knip'],
  ['generated files', 'node', 'scripts/generate.ts', '--check'],
  ['import boundaries', 'vitest', 'run', 'test/architecture.test.ts', '--reporter=dot'],
]

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const steps = STEPS.filter(([name]) => values.only === undefined || name === values.only)
const failed: string[] = []
for (const [name, command, ...args] of steps) {
  process.stdout.write(`\n> ${name}: ${command} ${args.join(' ')}\n`)
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error !== undefined) process.stderr.write(`${command}: ${error.message}; run npm ci first\n`)
  if (status !== 0) failed.push(name)
}
process.stdout.write(failed.length === 0 ? '\nall checks passed\n' : `\nfailed: ${failed.join(', ')}\n`)
process.exitCode = failed.length === 0 && steps.length > 0 ? 0 : 1
