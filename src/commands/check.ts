import { systemClock } from '../clock.ts'
import { compile } from '../compiler/compile.ts'
import type { Settings } from '../settings/settings.ts'
import { readDirectory } from '../source/directory/read-directory.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import { certificateDiagnostics } from './certificate-findings.ts'
import { compileOptionsOf } from './compile-options.ts'

/**
 * `ostiary check -f PATH`: prints every diagnostic of a directory or file of manifests, and a line that sums up.
 *
 * @returns How many errors there were.
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the path cannot be read.
 */
export function check(path: string, settings: Settings, output: NodeJS.WritableStream): { errors: number } {
  const resources = readDirectory(path)
  const result = compile(resources, compileOptionsOf(settings, true))
  const expiries = certificateDiagnostics(result.certificates, systemClock.now(), new Set())
  const diagnostics = [...result.diagnostics, ...expiries]
  for (const each of diagnostics) output.write(describe(each))
  const count = (severity: Diagnostic['severity']): number =>
    diagnostics.filter((each) => each.severity === severity).length
  const errors = count('error')
  output.write(
    `${counted(errors, 'error')}, ${counted(count('warning'), 'warning')}, ${counted(count('info'), 'note')}\n`,
  )
  return { errors }
}

/** One diagnostic on two lines: place and reason as a compiler prints them, then the remedy. */
function describe({ severity, reason, object, path, message, remedy, origin }: Diagnostic): string {
  const place = origin === undefined ? '' : `${origin.file}:${origin.line}: `
  const name = object.namespace === '' ? object.name : `${object.namespace}/${object.name}`
  const sentence = [object.kind, name, path, message].filter((part) => part !== '').join(' ')
  return `${place}${severity} ${reason}: ${sentence}\n    ${remedy}\n`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
