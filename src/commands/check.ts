import { systemClock } from '../clock.ts'
import { compile } from '../compiler/compile.ts'
import type { Settings } from '../settings/settings.ts'
import { readDirectory } from '../source/directory/read-directory.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import { certificateDiagnostics } from './certificate-findings.ts'
import { compileOptionsOf } from './compile-options.ts'
import { countDiagnostics } from './count-diagnostics.ts'
import { printData, type RowsFormat } from './output-format.ts'
import { describeDiagnostic } from './print-diagnostic.ts'
import { printRows } from './print-rows.ts'
import { type Progress, type TextStream } from './terminal.ts'

/** Told of so seldom that the telling costs nothing. */
const FILES_BETWEEN = 50

export interface CheckOptions {
  /** Default: text. */
  readonly format?: RowsFormat
  /** Default: nobody is told. */
  readonly progress?: Progress
}

/**
 * `ostiary check -f PATH`: prints every diagnostic of a directory or file of manifests, and how many there are.
 *
 * @returns How many errors there were.
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the path cannot be read.
 */
export function check(
  path: string,
  settings: Settings,
  output: TextStream,
  { format = 'text', progress }: CheckOptions = {},
): { errors: number } {
  progress?.tell(`reading ${path}`)
  const resources = readDirectory(path, (done, all) => {
    if (done % FILES_BETWEEN === 0) progress?.tell(`reading ${path}: ${done} of ${all} files`)
  })
  progress?.tell('compiling')
  const result = compile(resources, compileOptionsOf(settings, true))
  progress?.end()
  const expiries = certificateDiagnostics(result.certificates, systemClock.now(), new Set())
  const diagnostics = [...result.diagnostics, ...expiries]
  const counts = countDiagnostics(diagnostics)
  if (format === 'text') printText(diagnostics, counts, output)
  else if (format === 'table') output.write(printRows(HEADINGS, diagnostics.map(rowOf)))
  else output.write(printData({ counts, diagnostics }, format))
  return { errors: counts.error }
}

const HEADINGS = ['SEVERITY', 'REASON', 'OBJECT', 'PLACE', 'MESSAGE']

function rowOf({ severity, reason, object, path, message, origin }: Diagnostic): string[] {
  const { kind, namespace, name } = object
  const place = origin === undefined ? path : `${origin.file}:${origin.line}`
  return [severity, reason, `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`, place, message]
}

function printText(
  diagnostics: readonly Diagnostic[],
  { error, warning, info }: ReturnType<typeof countDiagnostics>,
  output: TextStream,
): void {
  for (const each of diagnostics) output.write(describeDiagnostic(each, output))
  output.write(`${counted(error, 'error')}, ${counted(warning, 'warning')}, ${counted(info, 'note')}\n`)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
