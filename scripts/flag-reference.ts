import type { Option } from 'commander'
import { compileOptions, runOptions } from '../src/settings/run-options.ts'
import { markdownTable } from './markdown-table.ts'

/** The flags of the commands as Markdown, from the options themselves. */
export function flagReference(): string {
  const shared = new Set(compileOptions().map(({ flags }) => flags))
  const ownOfRun = runOptions().filter(({ flags }) => !shared.has(flags))
  return [
    '# Flags',
    '<!-- Generated from src/settings by `npm run generate`; do not edit. -->',
    'Each flag that takes a value is also a variable; the flag wins. Switches have no variable: any value would turn them on. Lists are parted by commas, and a flag may be repeated.',
    '## What a compile means',
    'Taken by `ostiary run`, `check`, `compile`, `explain` and `doctor`.',
    table(compileOptions()),
    '## `ostiary run`',
    table(ownOfRun),
    '',
  ].join('\n\n')
}

function table(options: readonly Option[]): string {
  const rows = [...options]
    .sort((a, b) => ((a.long ?? '') < (b.long ?? '') ? -1 : 1))
    .map(({ flags, envVar, description }) => [
      `\`${flags}\``,
      envVar === undefined ? '' : `\`${envVar}\``,
      description,
    ])
  return markdownTable(['flag', 'variable', 'meaning'], rows)
}
