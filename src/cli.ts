import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { checkCommand } from './commands/cli/check-command.ts'
import type { CommandContext, ExitCode } from './commands/cli/command-context.ts'
import { compileCommand } from './commands/cli/compile-command.ts'
import { doctorCommand } from './commands/cli/doctor-command.ts'
import { explainCommand } from './commands/cli/explain-command.ts'
import { runCommand } from './commands/cli/run-command.ts'
import { versionCommand } from './commands/cli/version-command.ts'
import { messageOf, OstiaryError } from './errors.ts'

/**
 * Parses the command line and runs one command to its end.
 *
 * @param args Without node and script.
 * @param signal Ends `run`; the other commands end by themselves.
 * @returns The exit code; errors have been printed by then.
 */
export async function runCli(args: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const program = createProgram({
    version: packageVersion(),
    signal,
    finish: (code) => {
      exitCode = code
    },
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

/** All commands, each with its help. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('ostiary')
    .description('Kubernetes ingress controller with its own proxy that enforces OpenID Connect')
    .version(context.version)
    .addHelpText(
      'after',
      '\n`ostiary COMMAND --help` has examples.\n\nExit codes: 0 as asked, 1 a problem in what was read, 2 wrong usage or settings.',
    )
  const commands = [
    runCommand(context),
    checkCommand(context),
    compileCommand(),
    explainCommand(context),
    doctorCommand(context),
    versionCommand(context),
  ]
  for (const command of commands) program.addCommand(command.exitOverride())
  return program.exitOverride()
}

/** The version in package.json, which lies beside src/ as beside dist/. */
function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
