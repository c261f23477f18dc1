import type { Diagnostic } from '../table/diagnostic.ts'
import { coloured, type Colour, type TextStream } from './terminal.ts'

const COLOURS: Readonly<Record<Diagnostic['severity'], Colour>> = {
  error: 'red',
  warning: 'yellow',
  info: 'dim',
}

/**
 * One diagnostic on two lines: place and reason as a compiler prints them, then the remedy.
 *
 * @param stream Where it goes, for colours. Absent: none.
 */
export function describeDiagnostic(diagnostic: Diagnostic, stream?: TextStream): string {
  const { severity, reason, object, path, message, remedy, origin } = diagnostic
  const place = origin === undefined ? '' : `${origin.file}:${origin.line}: `
  const name = object.namespace === '' ? object.name : `${object.namespace}/${object.name}`
  const sentence = [object.kind, name, path, message].filter((part) => part !== '').join(' ')
  const word = stream === undefined ? severity : coloured(stream, COLOURS[severity], severity)
  return `${place}${word} ${reason}: ${sentence}\n    ${remedy}\n`
}
