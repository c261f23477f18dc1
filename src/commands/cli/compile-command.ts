import { Command, Option } from 'commander'
import { readSettings } from '../../settings/read-settings.ts'
import { compileOptions } from '../../settings/run-options.ts'
import { compileCommand as compile } from '../compile.ts'
import { createProgress } from '../terminal.ts'
import { addHelpNotes } from './command-context.ts'

interface Flags {
  readonly filename: string
  readonly output: 'json' | 'yaml'
}

export function compileCommand(): Command {
  const command = new Command('compile')
    .description('print the routing table, statuses and diagnostics, secrets by name only')
    .requiredOption('-f, --filename <path>', 'directory or file of manifests')
    .addOption(new Option('--output <format>', 'format').choices(['yaml', 'json']).default('yaml'))
    .action(({ filename, output: format, ...flags }: Flags) => {
      const progress = createProgress(process.stderr)
      try {
        compile(filename, readSettings(flags), process.stdout, { format, progress })
      } finally {
        progress.end()
      }
    })
  for (const option of compileOptions()) command.addOption(option)
  return addHelpNotes(command, {
    examples: [
      ['compile -f ./manifests > after.yaml && diff before.yaml after.yaml', 'what a change comes to'],
      [
        "compile -f ./manifests --output json | jq '.table.virtualHosts[].host'",
        'the hosts that would be served',
      ],
    ],
    exitCodes: [
      [0, 'it is printed, whatever the diagnostics say'],
      [1, 'nothing can be read'],
      [2, 'wrong usage or settings'],
    ],
  })
}
