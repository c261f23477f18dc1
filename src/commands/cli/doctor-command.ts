import { Command } from 'commander'
import { readSettings } from '../../settings/read-settings.ts'
import { compileOptions } from '../../settings/run-options.ts'
import { doctorOptions, readDoctorRequest } from '../doctor-options.ts'
import { createProgress } from '../terminal.ts'
import { addHelpNotes, type CommandContext } from './command-context.ts'

export function doctorCommand({ version, finish }: CommandContext): Command {
  const command = new Command('doctor')
    .argument('<plugin>', 'name of an OIDCPlugin, or namespace/name')
    .description(
      'ask the authorization server of a plugin what can be asked, and print a checklist with fixes',
    )
    .action(async (plugin: string, flags: Record<string, unknown>) => {
      const { request, settings } = readDoctorRequest(plugin, flags)
      const { doctor } = await import('../doctor.ts')
      const progress = createProgress(process.stderr)
      try {
        const terminal = { output: process.stdout, progress, userAgent: `ostiary/${version}` }
        const { failures } = await doctor(request, readSettings(settings), terminal)
        finish(failures > 0 ? 1 : 0)
      } finally {
        progress.end()
      }
    })
  for (const option of [...doctorOptions(), ...compileOptions()]) command.addOption(option)
  return addHelpNotes(command, {
    examples: [
      ['doctor shop/okta', 'a plugin of the cluster of the current kubeconfig'],
      ['doctor okta -f ./manifests --url https://app.example.com/', 'a plugin of a directory'],
      ['doctor shop/okta --output json', 'for programs'],
    ],
    exitCodes: [
      [0, 'nothing failed; there may be warnings'],
      [1, 'a check failed, or manifests or cluster cannot be read'],
      [2, 'wrong usage or settings'],
    ],
  })
}
