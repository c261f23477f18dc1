import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { check } from './commands/check.ts'
import { compileCommand } from './commands/compile.ts'
import { doctorOptions, readDoctorRequest } from './commands/doctor-options.ts'
import { messageOf, OstiaryError } from './errors.ts'
import { readSettings } from './settings/read-settings.ts'
import { compileOptions, runOptions } from './settings/run-options.ts'

/** Exit codes: 0 as asked, 1 a problem in what was read, 2 wrong usage or settings. */
type ExitCode = 0 | 1 | 2

/**
 * Parses the command line and runs one command to its end.
 *
 * @param args Without node and script.
 * @param signal Ends `run`; the other commands end by themselves.
 * @returns The exit code; errors have been printed by then.
 */
export async function runCli(args: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const program = createProgram(signal, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`ostiary: ${messageOf(error)}\n`)
    return error instanceof OstiaryError && error.code === 'ERR_SETTINGS_INVALID' ? 2 : 1
  }
}

function createProgram(signal: AbortSignal, finish: (code: ExitCode) => void): Command {
  const program = new Command('ostiary')
    .description('Kubernetes ingress controller with its own proxy that enforces OpenID Connect')
    .version(packageVersion())
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 as asked, 1 a problem in what was read, 2 wrong usage or settings.',
    )

  const runCommand = program
    .command('run')
    .description('run controller and proxy on a cluster, or on a directory with --manifests')
    .action(async (flags: Record<string, unknown>) => {
      const settings = readSettings(flags)
      const { run } = await import('./commands/run.ts')
      await run(settings, packageVersion(), signal)
    })
  for (const option of runOptions()) runCommand.addOption(option)

  const checkCommand = program
    .command('check')
    .description('print what is wrong with manifests, with file, line and remedy; exit 1 on errors')
    .requiredOption('-f, --filename <path>', 'directory or file of manifests')
    .action(({ filename, ...flags }: { filename: string }) => {
      const { errors } = check(filename, readSettings(flags), process.stdout)
      finish(errors > 0 ? 1 : 0)
    })
  const printCommand = program
    .command('compile')
    .description('print the routing table and the statuses as YAML, secrets by name only')
    .requiredOption('-f, --filename <path>', 'directory or file of manifests')
    .action(({ filename, ...flags }: { filename: string }) =>
      compileCommand(filename, readSettings(flags), process.stdout),
    )
  const doctorCommand = program
    .command('doctor')
    .argument('<plugin>', 'name of an OIDCPlugin, or namespace/name')
    .description(
      'ask the authorization server of a plugin what can be asked, and print a checklist with fixes',
    )
    .action(async (plugin: string, flags: Record<string, unknown>) => {
      const { request, settings } = readDoctorRequest(plugin, flags)
      const { doctor } = await import('./commands/doctor.ts')
      const userAgent = `ostiary/${packageVersion()}`
      const { failures } = await doctor(request, readSettings(settings), userAgent, process.stdout)
      finish(failures > 0 ? 1 : 0)
    })
  for (const option of doctorOptions()) doctorCommand.addOption(option)
  for (const option of compileOptions()) {
    checkCommand.addOption(option)
    printCommand.addOption(option)
    doctorCommand.addOption(option)
  }
  return program
}

/** The version in package.json, which lies beside src/ as beside dist/. */
function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
