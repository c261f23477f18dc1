import { readFileSync } from 'node:fs'
import { Option } from 'commander'
import * as z from 'zod'
import { messageOf, OstiaryError } from '../errors.ts'
import { readQuestion, type Question } from '../explain/question.ts'
import { compileOptions, runOptions } from '../settings/run-options.ts'
import type { OutputFormat } from './output-format.ts'

/** What is to be explained, and how it is to be told. */
export interface ExplainRequest {
  readonly question: Question
  /** Absent: a cluster is read. */
  readonly filename?: string
  /** Authorization servers are not asked. */
  readonly isOffline: boolean
  readonly output: OutputFormat
}

const schema = z.object({
  filename: z.string().min(1).optional(),
  cluster: z.boolean().default(false),
  header: z.array(z.string()).default([]),
  from: z.string().optional(),
  offline: z.boolean().default(false),
  output: z.enum(['text', 'json', 'yaml']).default('text'),
})

/** Those of `ostiary run` that change what is read, and what is known of a request. */
const TAKEN: ReadonlySet<string | undefined> = new Set([
  '--kubeconfig',
  '--watch-namespace',
  '--without-cluster-rights',
  '--allow-loopback-issuers',
  '--trusted-proxies',
  '--https-redirect-port',
  ...compileOptions().map(({ long }) => long),
])

/** Not parted by commas, as lists are: a field may hold some. */
function collectFields(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** As curl has it. What stands on a command line is seen by whoever may list processes; a file need not be. */
function readFields(field: string): string[] {
  if (!field.startsWith('@')) return [field]
  const file = field.slice(1)
  try {
    const lines = readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/)
    return lines.filter((line) => line.trim() !== '')
  } catch (error) {
    throw new OstiaryError('ERR_SETTINGS_INVALID', `-H: ${file} cannot be read: ${messageOf(error)}`)
  }
}

/** The flags of `ostiary explain`. */
export function explainOptions(): Option[] {
  return [
    new Option('-f, --filename <path>', 'directory or file of manifests'),
    new Option('--cluster', 'read the cluster of --kubeconfig instead'),
    new Option(
      '-H, --header <field>',
      "a field of the request, as 'Name: value', or @FILE with one on each line, - being the standard input; may be repeated",
    ).argParser(collectFields),
    new Option('--from <address>', 'address that the connection comes from (default: 203.0.113.1)'),
    new Option('--offline', 'say what authorization servers would be asked, and do not ask them'),
    new Option('--output <format>', 'text, json or yaml (default: text)'),
    ...runOptions().filter(({ long }) => TAKEN.has(long)),
  ]
}

/**
 * Takes the command's own flags apart from those that are settings.
 *
 * @param words Method and URL, or the URL alone.
 * @throws OstiaryError ERR_SETTINGS_INVALID
 */
export function readExplainRequest(
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): { readonly request: ExplainRequest; readonly settings: Readonly<Record<string, unknown>> } {
  const { filename, cluster, header, from, offline, output, ...settings } = flags
  const parsed = schema.safeParse({ filename, cluster, header, from, offline, output })
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`)
    throw new OstiaryError('ERR_SETTINGS_INVALID', lines.join('\n'))
  }
  const own = parsed.data
  if (own.cluster === (own.filename !== undefined)) {
    throw new OstiaryError(
      'ERR_SETTINGS_INVALID',
      'either -f with a directory or file, or --cluster is needed',
    )
  }
  if (words.length > 2) throw new OstiaryError('ERR_SETTINGS_INVALID', 'one method and one address are taken')
  const [method, url] = words.length === 2 ? words : [undefined, words[0]]
  const question = readQuestion({
    url: url ?? '',
    headers: own.header.flatMap(readFields),
    ...(method !== undefined && { method }),
    ...(own.from !== undefined && { from: own.from }),
  })
  const { filename: path } = own
  return {
    request: {
      question,
      isOffline: own.offline,
      output: own.output,
      ...(path !== undefined && { filename: path }),
    },
    settings,
  }
}
