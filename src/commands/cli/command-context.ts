import type { Command } from 'commander'

/** Exit codes: 0 as asked, 1 a problem in what was read, 2 wrong usage or settings. */
export type ExitCode = 0 | 1 | 2

/** What every command of the command line gets. */
export interface CommandContext {
  readonly version: string
  /** Ends `run`; the other commands end by themselves. */
  readonly signal: AbortSignal
  readonly finish: (code: ExitCode) => void
}

/** What stands below the options in the help of a command. */
export interface HelpNotes {
  /** Without the `ostiary` before them. */
  readonly examples: readonly (readonly [command: string, what: string])[]
  readonly exitCodes: readonly (readonly [code: ExitCode, what: string])[]
}

/** Gives a command's help examples and its exit codes. */
export function addHelpNotes(command: Command, { examples, exitCodes }: HelpNotes): Command {
  const exampleLines = examples.flatMap(([line, what]) => [`  # ${what}`, `  ostiary ${line}`])
  const codeLines = exitCodes.map(([code, what]) => `  ${code}  ${what}`)
  return command.addHelpText(
    'after',
    ['', 'Examples:', ...exampleLines, '', 'Exit codes:', ...codeLines].join('\n'),
  )
}
