import { compile } from '../compiler/compile.ts'
import { printResult } from '../compiler/print.ts'
import type { Settings } from '../settings/settings.ts'
import { readDirectory } from '../source/directory/read-directory.ts'
import { compileOptionsOf } from './compile-options.ts'
import type { Progress } from './terminal.ts'

export interface CompileCommandOptions {
  /** Default: YAML. */
  readonly format?: 'json' | 'yaml'
  /** Default: nobody is told. */
  readonly progress?: Progress
}

/**
 * `ostiary compile -f PATH`: prints the routing table, statuses and diagnostics of a directory or file of manifests as
 * YAML or JSON that is the same for the same input. Secrets are printed by name only.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the path cannot be read.
 */
export function compileCommand(
  path: string,
  settings: Settings,
  output: NodeJS.WritableStream,
  { format = 'yaml', progress }: CompileCommandOptions = {},
): void {
  progress?.tell(`compiling ${path}`)
  const resources = readDirectory(path)
  const result = compile(resources, compileOptionsOf(settings, true))
  progress?.end()
  output.write(printResult(result, format))
}
