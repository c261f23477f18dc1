import { Command } from 'commander'
import { readSettings } from '../../settings/read-settings.ts'
import { explainOptions, readExplainRequest } from '../explain-options.ts'
import { createProgress } from '../terminal.ts'
import { addHelpNotes, type CommandContext } from './command-context.ts'

export function explainCommand({ version, finish }: CommandContext): Command {
  const command = new Command('explain')
    .argument('<request...>', 'method (default: GET) and address, as https://app.example.com/path')
    .description('say step by step what a request meets, and why it is answered as it is')
    .action(async (words: readonly string[], flags: Record<string, unknown>) => {
      const { request, settings } = readExplainRequest(words, flags)
      const progress = createProgress(process.stderr)
      const { explainCommand: explain } = await import('../explain.ts')
      const terminal = { output: process.stdout, progress, userAgent: `ostiary/${version}` }
      const { forwarded } = await explain(request, readSettings(settings), terminal)
      finish(forwarded ? 0 : 1)
    })
  for (const option of explainOptions()) command.addOption(option)
  return addHelpNotes(command, {
    examples: [
      ['explain -f ./manifests https://app.example.com/orders', 'a request without a token'],
      [
        'explain --cluster https://app.example.com/orders -H @fields.txt',
        "with the token of a line 'Authorization: Bearer …', against a cluster; no value of a field is printed",
      ],
      [
        "explain -f ./manifests https://app.example.com/ -H 'Accept: text/html' --offline",
        'as a browser asks for a page, and without asking authorization servers',
      ],
      [
        "explain --cluster https://a.example.com/ -H 'Host: b.example.com'",
        'over a connection that was opened for another name',
      ],
    ],
    exitCodes: [
      [0, 'the request would be forwarded'],
      [1, 'it would not, or that depends on what was not asked; or nothing can be read'],
      [2, 'wrong usage or settings'],
    ],
  })
}
