import type { Command } from 'commander'
import { createProgram } from '../src/cli.ts'
import { markdownTable } from './markdown-table.ts'

/** The commands with examples and exit codes as Markdown, from their own help. */
export function commandReference(): string {
  const { commands } = createProgram({
    version: '',
    signal: new AbortController().signal,
    finish: () => undefined,
  })
  return [
    '# Commands',
    '<!-- Generated from src/commands by `npm run generate`; do not edit. -->',
    'What is found goes to standard output, and what goes wrong to standard error. Progress is told on standard error, and only on a terminal; so are colours, unless `NO_COLOR` is set. [Flags](flags.md) have a page of their own.',
    '## Exit codes',
    markdownTable(
      ['code', 'meaning'],
      [
        ['0', 'as asked'],
        ['1', 'a problem in what was read: what it is differs by command, see below'],
        ['2', 'wrong usage or settings'],
      ],
    ),
    ...commands.flatMap(section),
    '',
  ].join('\n\n')
}

function section(command: Command): string[] {
  const help: string[] = []
  command.configureOutput({ writeOut: (text) => void help.push(text) })
  command.outputHelp()
  const notes = help.join('')
  const output = command.options.find(({ long }) => long === '--output')
  const formats = output?.argChoices?.join(', ') ?? output?.description
  return [
    `## \`ostiary ${command.name()}\``,
    `${capitalized(command.description())}.${formats === undefined ? '' : ` \`--output\`: ${formats}.`}`,
    `\`\`\`\n${notes.slice(notes.indexOf('Examples:')).trimEnd()}\n\`\`\``,
  ]
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
