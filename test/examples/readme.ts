import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { requirement } from '../support/requirements.ts'
import type { RunningExample } from './example.ts'

/** Whether the README's commands cannot run on this machine. */
export const noCurl = requirement(
  'bash with curl',
  spawnSync('bash', ['-c', 'curl --version']).status === 0,
  "install both to run the examples' commands",
)

/** A command of a README, and the lines that its answer must have. */
interface Command {
  readonly line: string
  readonly expected: readonly string[]
}

const BETWEEN = '@@@ end of an answer @@@'

/**
 * Runs every `$ ` line of the README's console blocks in one shell, as a person would paste them, and compares each
 * answer with the lines that are printed below the command: the first is a status line, the others must each be in the
 * answer; `…` stands for anything.
 *
 * @returns How many answers were compared.
 */
export async function runReadme(example: RunningExample): Promise<number> {
  const text = example.fill(await readFile(path.join(example.folder, 'README.md'), 'utf8'))
  const commands = commandsOf(text)
  const script = commands.map(({ line }) => `${line}; echo; echo '${BETWEEN}'`).join('\n')
  const env = { ...process.env, CURL_HOME: example.curlHome }
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
  const answers = stdout.split(`${BETWEEN}\n`)
  let compared = 0
  for (const [index, { line, expected }] of commands.entries()) {
    if (expected.length === 0) continue
    compared += 1
    compare(line, answers[index] ?? '', expected)
  }
  return compared
}

function compare(line: string, answer: string, [status = '', ...rest]: readonly string[]): void {
  const lines = answer.split(/\r?\n/)
  // Which version of HTTP curl was offered says nothing of the example.
  expect(statusOf(lines[0]), `${line}\n${answer}`).toBe(statusOf(status))
  for (const each of rest) {
    const pattern = new RegExp(`^${each.trim().split('…').map(escaped).join('.*')}`, 'i')
    expect(
      lines.some((actual) => pattern.test(actual.trim())),
      `${line}\nshould answer ${each}\n${answer}`,
    ).toBe(true)
  }
}

function statusOf(line = ''): string | undefined {
  return /^HTTP\/[\d.]+ (\d{3})/.exec(line)?.[1]
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function commandsOf(text: string): readonly Command[] {
  const blocks = [...text.matchAll(/```console\n([^]*?)```/g)].map((match) => match[1] ?? '')
  const commands: { line: string; expected: string[] }[] = []
  for (const line of blocks.join('').split('\n')) {
    if (line.startsWith('$ ')) commands.push({ line: line.slice(2), expected: [] })
    else if (line !== '') commands.at(-1)?.expected.push(line)
  }
  return commands
}
