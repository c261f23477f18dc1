import { Command, Option } from 'commander'
import { readSettings } from '../../settings/read-settings.ts'
import { compileOptions } from '../../settings/run-options.ts'
import { check } from '../check.ts'
import type { RowsFormat } from '../output-format.ts'
import { createProgress } from '../terminal.ts'
import { addHelpNotes, type CommandContext } from './command-context.ts'

interface Flags {
  readonly filename: string
  readonly output: RowsFormat
}

export function checkCommand({ finish }: CommandContext): Command {
  const command = new Command('check')
    .description('print what is wrong with manifests, with file, line and remedy')
    .requiredOption('-f, --filename <path>', 'directory or file of manifests')
    .addOption(
      new Option('--output <format>', 'format').choices(['text', 'table', 'json', 'yaml']).default('text'),
    )
    .action(({ filename, output: format, ...flags }: Flags) => {
      const progress = createProgress(process.stderr)
      try {
        const { errors } = check(filename, readSettings(flags), process.stdout, { format, progress })
        finish(errors > 0 ? 1 : 0)
      } finally {
        progress.end()
      }
    })
  for (const option of compileOptions()) command.addOption(option)
  return addHelpNotes(command, {
    examples: [
      ['check -f ./manifests', 'before a commit, or in a pipeline'],
      ['check -f ./manifests --require-plugin', 'as an installation that lets no route be open by accident'],
      ['check -f ./manifests --output table', 'a line for each problem'],
      ['check -f ./manifests --output json | jq .counts', 'for programs'],
    ],
    exitCodes: [
      [0, 'no errors; there may be warnings'],
      [1, 'errors, or nothing that can be read'],
      [2, 'wrong usage or settings'],
    ],
  })
}
