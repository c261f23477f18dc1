import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'
import { runCli } from '../../src/cli.ts'
import { ingress, oidcPlugin, service, yaml } from '../support/manifests.ts'

let out = ''
let errors = ''

beforeEach(() => {
  out = ''
  errors = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    out += String(chunk)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    errors += String(chunk)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})

function ostiary(...args: readonly string[]): Promise<number> {
  return runCli(args, new AbortController().signal)
}

function folder(...objects: readonly object[]): string {
  const root = mkdtempSync(path.join(tmpdir(), 'ostiary-cli-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  writeFileSync(path.join(root, 'a.yaml'), yaml(...objects))
  return root
}

const open = ingress({ host: 'app.test', path: '/open', annotations: { 'ostiary.dev/public': 'true' } })
const closed = ingress({
  name: 'closed',
  host: 'app.test',
  path: '/closed',
  annotations: { 'ostiary.dev/plugins': 'missing' },
})
const guarded = ingress({
  name: 'guarded',
  host: 'app.test',
  path: '/guarded',
  annotations: { 'ostiary.dev/plugins': 'login' },
})
const login = oidcPlugin('login', { issuer: 'https://login.invalid', authMethods: ['bearer'] })

describe('--help', () => {
  test.each(['run', 'check', 'compile', 'explain', 'doctor', 'version'])(
    'of %s has examples and exit codes',
    async (command) => {
      expect(await ostiary(command, '--help')).toBe(0)
      expect(out).toMatch(new RegExp(`Examples:\\n {2}# \\S.*\\n {2}ostiary ${command}\\b`))
      expect(out).toMatch(/Exit codes:\n {2}0 {2}\S/)
    },
  )

  test.each(['check', 'compile', 'explain', 'doctor', 'version'])(
    'of %s has examples that can be run',
    async (command) => {
      await ostiary(command, '--help')
      const flags = [...out.matchAll(/^ {2}ostiary (.*)$/gm)].flatMap(
        ([, line = '']) => line.split(/[|>&]/)[0]?.match(/(?<= )--?[a-z][\w-]*/gi) ?? [],
      )
      for (const flag of flags) expect(out).toMatch(new RegExp(`^ {2}(-\\w, )?${flag}[ ,]`, 'm'))
    },
  )
})

describe('ostiary version', () => {
  test('tells what a bug report needs', async () => {
    expect(await ostiary('version')).toBe(0)
    expect(out).toMatch(/^ostiary \d+\.\d+\.\d+\S*\nNode \d+\.\S+, OpenSSL \S+, \w+\/\w+\n$/)
  })

  test('tells it to programs', async () => {
    await ostiary('version', '--output', 'json')
    expect(JSON.parse(out)).toMatchObject({
      node: process.versions.node,
      version: expect.any(String) as string,
    })
  })
})

describe('--output', () => {
  test('of check is data with the same exit code', async () => {
    const root = folder(...service('echo', 1), open, closed)
    expect(await ostiary('check', '-f', root, '--output', 'json')).toBe(1)
    const json = JSON.parse(out) as { counts: object; diagnostics: { reason: string }[] }
    expect(json.counts).toMatchObject({ error: 1 })
    expect(json.diagnostics.map(({ reason }) => reason)).toContain('PluginNotFound')
    out = ''
    expect(await ostiary('check', '-f', root, '--output', 'yaml')).toBe(1)
    expect(parse(out)).toEqual(json)
  })

  test('of compile is the same as JSON and as YAML', async () => {
    const root = folder(...service('echo', 1), open)
    expect(await ostiary('compile', '-f', root, '--output', 'json')).toBe(0)
    const json: unknown = JSON.parse(out)
    out = ''
    await ostiary('compile', '-f', root)
    expect(parse(out)).toEqual(json)
  })

  test('that there is not is wrong usage', async () => {
    expect(await ostiary('check', '-f', folder(open), '--output', 'xml')).toBe(2)
    expect(await ostiary('explain', '-f', folder(open), 'https://app.test/', '--output', 'xml')).toBe(2)
  })
})

describe('ostiary explain', () => {
  const explain = (...args: readonly string[]): Promise<number> =>
    ostiary(
      'explain',
      '--offline',
      '-f',
      folder(...service('echo', 1), login, open, closed, guarded),
      ...args,
    )

  test('exits 0 where the request would be forwarded, else 1', async () => {
    expect(await explain('https://app.test/open')).toBe(0)
    expect(out).toMatch(/\nForwarded to default\/echo\/80 as \/open\n$/)
    expect(await explain('https://app.test/closed')).toBe(1)
    expect(out).toMatch(/\nAnswered 503 PluginNotFound; not forwarded\n$/)
    expect(await explain('https://app.test/nothing')).toBe(1)
  })

  test('takes a method before the address, and fields', async () => {
    const fields = ['-H', 'Origin: https://a.test', '-H', 'X-List: a, b']
    expect(await explain('POST', 'https://app.test/guarded', ...fields)).toBe(1)
    expect(out).toContain('POST https://app.test/guarded with Origin, X-List from 203.0.113.1')
    expect(out).toContain('401 no_credential')
    expect(out).toContain('default/login bearer: 401 no_credential: no access token came')
  })

  test('takes fields from a file, as curl does, and names a file that is not there', async () => {
    const file = path.join(folder(), 'fields.txt')
    writeFileSync(file, 'Authorization: Bearer hush-hush\r\n\nX-One: 1\n')
    await explain('https://app.test/guarded', '-H', `@${file}`)
    expect(out).toContain('with Authorization, X-One from')
    expect(out).toContain('a token in the header')
    expect(out + errors).not.toContain('hush-hush')
    expect(await explain('https://app.test/guarded', '-H', '@/nonexistent')).toBe(2)
    expect(errors).toContain('/nonexistent')
  })

  test('tells all of it to programs', async () => {
    await explain('https://app.test/closed', '--output', 'json')
    expect(JSON.parse(out)).toMatchObject({
      outcome: { kind: 'answered', status: 503, reason: 'PluginNotFound' },
      steps: expect.arrayContaining([expect.objectContaining({ step: 'route' })]) as unknown[],
      diagnostics: [expect.objectContaining({ reason: 'PluginNotFound' })],
    })
  })

  test('is not coloured and shows no progress where nobody looks', async () => {
    await explain('https://app.test/open')
    expect(out + errors).not.toContain('\u001B')
    expect(errors).toBe('')
  })

  test.each([
    ['no address', []],
    ['three words', ['GET', 'https://app.test/', 'x']],
    ['no URL', ['app.test']],
    ['a cluster and files', ['https://app.test/', '--cluster']],
    ['a proxy that is no network', ['https://app.test/', '--trusted-proxies', 'nowhere']],
  ])('with %s is wrong usage', async (_name, args) => {
    expect(await explain(...args)).toBe(2)
  })

  test('with neither files nor a cluster is wrong usage', async () => {
    expect(await ostiary('explain', 'https://app.test/')).toBe(2)
    expect(errors).toContain('--cluster')
  })

  test('of files that are not there fails', async () => {
    expect(await ostiary('explain', '-f', '/nonexistent', 'https://app.test/')).toBe(1)
  })
})
