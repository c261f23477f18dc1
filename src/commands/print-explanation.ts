import type { Explanation, ExplainedStep, FlowAnswer, Outcome, Verdict } from '../explain/explanation.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import { describeDiagnostic } from './print-diagnostic.ts'
import { coloured, plain, type Colour, type TextStream } from './terminal.ts'

const MARKS: Readonly<Record<Verdict, string>> = { passed: 'ok', answered: 'STOP', unknown: '?' }
const COLOURS: Readonly<Record<Verdict | FlowAnswer['verdict'], Colour>> = {
  passed: 'green',
  answered: 'red',
  unknown: 'yellow',
  allow: 'green',
  redirect: 'yellow',
  refuse: 'red',
}
const MARK_WIDTH = 6
const NAME_WIDTH = 20
/** A host without a route may have thousands of Ingresses. */
const MAXIMUM_DIAGNOSTICS = 10

/** An explanation for people: the way, then what the flows say, then what lies beside it. */
export function printExplanation(explanation: Explanation, stream: TextStream): string {
  const { request, outcome, steps, credentials, flows, assumptions, nearMisses, diagnostics } = explanation
  const query = request.queryParameters.length === 0 ? '' : ` (query: ${request.queryParameters.join(', ')})`
  const fields = request.headers.length === 0 ? '' : ` with ${request.headers.join(', ')}`
  const title = `${request.method} ${request.scheme}://${request.host}${request.path}${query}${fields} from ${request.from}`
  const sections = [
    [coloured(stream, 'bold', plain(title))],
    steps.flatMap((step) => stepLines(step, stream)),
    section('The request carries', credentials.map(plain), stream),
    section(
      'Each flow for itself',
      flows.flatMap((flow) => flowLines(flow, stream)),
      stream,
    ),
    section('Taken for granted', assumptions.map(plain), stream),
    section(
      'What comes near',
      nearMisses.map(({ name, why }) => plain(`${name}: ${why}`)),
      stream,
    ),
    section('Known problems of these objects', diagnosticLines(diagnostics), stream),
    [outcomeLine(outcome, stream)],
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function section(title: string, lines: readonly string[], stream: TextStream): string[] {
  return lines.length === 0 ? [] : [coloured(stream, 'bold', title), ...lines.map((line) => `  ${line}`)]
}

function stepLines({ step, verdict, found, details, fix }: ExplainedStep, stream: TextStream): string[] {
  const mark = coloured(stream, COLOURS[verdict], MARKS[verdict].padEnd(MARK_WIDTH))
  const more = [...details, ...(fix === undefined ? [] : [`fix: ${fix}`])]
  const indent = ' '.repeat(MARK_WIDTH + NAME_WIDTH)
  return [
    `${mark}${step.padEnd(NAME_WIDTH)}${plain(found)}`,
    ...more.map((each) => `${indent}${plain(each)}`),
  ]
}

function flowLines(answer: FlowAnswer, stream: TextStream): string[] {
  const { plugin, flow, verdict, status, reason, found, fix } = answer
  const code = [status, reason].filter((each) => each !== undefined).join(' ')
  const what = [code, found].filter((each) => each !== '').join(': ')
  const line = `${plain(plugin)} ${flow}: ${coloured(stream, COLOURS[verdict], plain(what))}`
  return fix === undefined ? [line] : [line, `  fix: ${plain(fix)}`]
}

function diagnosticLines(diagnostics: readonly Diagnostic[]): string[] {
  const lines = diagnostics
    .slice(0, MAXIMUM_DIAGNOSTICS)
    .flatMap((each) => describeDiagnostic(each).trimEnd().split('\n').map(plain))
  const left = diagnostics.length - MAXIMUM_DIAGNOSTICS
  return left > 0 ? [...lines, `and ${left} more: --output json has all`] : lines
}

function outcomeLine(outcome: Outcome, stream: TextStream): string {
  if (outcome.kind === 'forwarded') {
    return coloured(stream, 'green', plain(`Forwarded to ${outcome.upstream} as ${outcome.path}`))
  }
  if (outcome.kind === 'unknown') {
    return coloured(stream, 'yellow', plain(`Not known: it depends on ${outcome.wouldAsk.join(', and ')}`))
  }
  const { status, reason } = outcome
  const code = [status, reason].filter((each) => each !== undefined).join(' ')
  return coloured(stream, status < 400 ? 'yellow' : 'red', plain(`Answered ${code}; not forwarded`))
}
