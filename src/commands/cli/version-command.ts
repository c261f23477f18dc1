import { Command, Option } from 'commander'
import { printData, type OutputFormat } from '../output-format.ts'
import { addHelpNotes, type CommandContext } from './command-context.ts'

export function versionCommand({ version }: CommandContext): Command {
  const command = new Command('version')
    .description('print the version, and what it runs on')
    .addOption(new Option('--output <format>', 'format').choices(['text', 'json', 'yaml']).default('text'))
    .action(({ output: format }: { readonly output: OutputFormat }) => {
      const { node, openssl } = process.versions
      const build = { version, node, openssl, platform: `${process.platform}/${process.arch}` }
      const text = `ostiary ${version}\nNode ${node}, OpenSSL ${openssl}, ${build.platform}\n`
      process.stdout.write(format === 'text' ? text : printData(build, format))
    })
  return addHelpNotes(command, {
    examples: [
      ['version', 'for a bug report'],
      ['version --output json | jq -r .version', 'for programs'],
    ],
    exitCodes: [
      [0, 'always'],
      [2, 'wrong usage'],
    ],
  })
}
