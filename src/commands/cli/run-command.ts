import { Command } from 'commander'
import { readSettings } from '../../settings/read-settings.ts'
import { runOptions } from '../../settings/run-options.ts'
import { addHelpNotes, type CommandContext } from './command-context.ts'

export function runCommand({ version, signal }: CommandContext): Command {
  const command = new Command('run')
    .description('run controller and proxy on a cluster, or on a directory with --manifests')
    .action(async (flags: Record<string, unknown>) => {
      const settings = readSettings(flags)
      const { run } = await import('../run.ts')
      await run(settings, version, signal)
    })
  for (const option of runOptions()) command.addOption(option)
  return addHelpNotes(command, {
    examples: [
      ['run --manifests ./manifests', 'serve a directory of YAML, and follow its changes'],
      ['run --kubeconfig ~/.kube/config --watch-namespace shop', 'serve the Ingresses of one namespace'],
      [
        'run --manifests ./manifests --http-port 80 --https-port 443 --admin-address 127.0.0.1',
        'the same on the usual ports, with probes and metrics for this machine alone',
      ],
    ],
    exitCodes: [
      [0, 'it was told to stop, and everything under way is finished'],
      [1, 'it cannot begin: what it reads is not there, or a port is taken'],
      [2, 'wrong usage or settings'],
    ],
  })
}
