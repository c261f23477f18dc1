import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import type { Resources } from '../../src/api/resources.ts'
import { secretSchema } from '../../src/api/secret.ts'
import { collectResources } from '../../src/source/collect-resources.ts'
import { readSessionKeys } from '../../src/source/session-key-file.ts'
import {
  followSessionKeys,
  newSessionKey,
  parseSessionKeys,
  type SessionKeys,
} from '../../src/source/session-key.ts'

const BYTES = Buffer.from(Array.from({ length: 32 }, (_, n) => 255 - n))
const OTHER = Buffer.from(Array.from({ length: 32 }, (_, n) => n * 7)).toString('hex')

function reveal(keys: SessionKeys): string[] {
  return keys.map((key) => key.reveal())
}

function keyFile(text: string): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'ostiary-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(path.join(directory, 'keys'), text)
  return path.join(directory, 'keys')
}

test('keys are read in base64url, base64 and hex, and come out as base64url in the order of the lines', () => {
  const expected = BYTES.toString('base64url')
  for (const form of ['base64url', 'base64', 'hex'] as const) {
    const text = `# newest first\r\n\n${BYTES.toString(form)}\r\n${OTHER}\n`
    expect(reveal(parseSessionKeys(text, 'keys'))).toEqual([
      expected,
      Buffer.from(OTHER, 'hex').toString('base64url'),
    ])
  }
})

test.each([
  ['too short', `${OTHER}\nhunter2hunter2\n`, /line 2: is not 32 bytes.*openssl rand/],
  ['one character too long', `${BYTES.toString('base64url')}A`, /line 1: is not 32 bytes/],
  ['two on one line', `${OTHER} ${OTHER}`, /line 1: is not 32 bytes/],
  ['all zeros', '0'.repeat(64), /line 1: is the same byte/],
  ['a repetition', `${OTHER}\n\n${OTHER.toUpperCase()}`, /line 3: repeats line 1/],
  ['nothing', '# hunter2\n', /holds no session key.*openssl rand/],
])(
  'a file with %s is refused with the line and the remedy, and the message holds no part of a key',
  async (_, text, reason) => {
    const file = keyFile(text)
    const refused = readSessionKeys(file)
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_SESSION_KEY_INVALID',
      message: expect.stringMatching(reason),
    })
    for (const line of text.split(/\s/).filter((each) => each.length > 3)) {
      await expect(refused).rejects.not.toThrow(line)
    }
  },
)

test('a file that is not there is an error with its path; without a file there is one new key each time', async () => {
  await expect(readSessionKeys('/nonexistent/keys')).rejects.toMatchObject({
    code: 'ERR_SESSION_KEY_INVALID',
    message: expect.stringMatching(/^\/nonexistent\/keys: .*ENOENT/),
  })
  const [first, second] = [await readSessionKeys(undefined), await readSessionKeys(undefined)]
  expect(first).toHaveLength(1)
  expect(Buffer.from(reveal(first)[0] ?? '', 'base64url')).toHaveLength(32)
  expect(reveal(first)).not.toEqual(reveal(second))
})

test('keys that rotate in the Secret are followed; a slip, or its deletion, leaves the former ones', () => {
  const initial = [newSessionKey()]
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const follow = followSessionKeys({ namespace: 'ostiary', name: 'keys' }, initial, logger)
  const resources = (keys: string | undefined, namespace = 'ostiary'): Resources => {
    if (keys === undefined) return collectResources([], [])
    const raw = { kind: 'Secret', metadata: { name: 'keys', namespace }, stringData: { keys } }
    return collectResources([secretSchema.parse(raw)], [])
  }
  const base64url = Buffer.from(OTHER, 'hex').toString('base64url')
  expect(follow(resources(undefined))).toBe(initial)
  expect(follow(resources(OTHER, 'elsewhere'))).toBe(initial)
  expect(reveal(follow(resources(`${BYTES.toString('hex')}\n${OTHER}`)))).toEqual([
    BYTES.toString('base64url'),
    base64url,
  ])
  expect(follow(resources('hunter2'))).toHaveLength(2)
  expect(follow(resources('hunter2'))).toHaveLength(2)
  expect(follow(resources(undefined))).toHaveLength(2)
  expect(reveal(follow(resources(OTHER)))).toEqual([base64url])
  expect(logged.filter((line) => line.includes('refused'))).toHaveLength(1)
  expect(logged.join('')).not.toContain('hunter2')
})
