import { compile } from '../compiler/compile.ts'
import { printResult } from '../compiler/print.ts'
import type { Settings } from '../settings/settings.ts'
import { readDirectory } from '../source/directory/read-directory.ts'
import { compileOptionsOf } from './compile-options.ts'

/**
 * `ostiary compile -f PATH`: prints the routing table, statuses and diagnostics of a directory or file of manifests as
 * YAML that is the same for the same input. Secrets are printed by name only.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the path cannot be read.
 */
export function compileCommand(path: string, settings: Settings, output: NodeJS.WritableStream): void {
  const resources = readDirectory(path)
  output.write(printResult(compile(resources, compileOptionsOf(settings, true))))
}
