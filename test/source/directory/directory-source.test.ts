import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createDirectorySource } from '../../../src/source/directory/directory-source.ts'
import { readDirectory } from '../../../src/source/directory/read-directory.ts'
import type { Source } from '../../../src/source/source.ts'
import { ingress, temporaryDirectory } from './manifests.ts'

const logger = pino({ level: 'silent' })

interface Started {
  readonly source: Source
  /** The hosts at every call of onChange. */
  readonly history: string[][]
}

function hosts(source: Source): string[] {
  return source.current().ingresses.map(({ spec }) => spec.rules[0]?.host ?? '').toSorted() // prettier-ignore
}

async function start(root: string): Promise<Started> {
  // Rescans are far off, so that only events of the file system can bring changes.
  const source = createDirectorySource({ root, logger, settleMs: 15, rescanMs: 3_600_000 })
  const controller = new AbortController()
  const history: string[][] = []
  onTestFinished(async () => {
    controller.abort()
    await source.stopped()
  })
  await source.start(() => history.push(hosts(source)), controller.signal)
  return { source, history }
}

async function eventually(source: Source, expected: string[]): Promise<void> {
  await vi.waitFor(() => expect(hosts(source)).toEqual(expected), { timeout: 5000, interval: 10 })
}

/** As editors and kubectl-like tools write: a temporary file beside it, renamed over it. */
function replace(file: string, text: string): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.tmp`)
  writeFileSync(temporary, text)
  renameSync(temporary, file)
}

test('a change written in place, by rename and in a new nested folder becomes live, a deletion too', async () => {
  const root = temporaryDirectory()
  const file = path.join(root, 'a.yaml')
  writeFileSync(file, ingress('a', 'v1'))
  const { source } = await start(root)
  expect(source.synced()).toBe(true)
  expect(hosts(source)).toEqual(['v1'])

  writeFileSync(file, ingress('a', 'v2'))
  await eventually(source, ['v2'])
  for (let version = 3; version <= 12; version += 1) {
    replace(file, ingress('a', `v${version}`))
    await eventually(source, [`v${version}`])
  }

  mkdirSync(path.join(root, 'x/y'), { recursive: true })
  writeFileSync(path.join(root, 'x/y/b.yml'), ingress('b', 'nested'))
  await eventually(source, ['nested', 'v12'])
  expect(source.current().ingresses.find(({ metadata }) => metadata.name === 'b')?.origin).toEqual({
    file: path.join(root, 'x/y/b.yml'),
    line: 1,
  })
  rmSync(path.join(root, 'x'), { recursive: true })
  await eventually(source, ['v12'])
  unlinkSync(file)
  await eventually(source, [])
})

test('a file written in steps never takes a route away meanwhile', async () => {
  const root = temporaryDirectory()
  const file = path.join(root, 'a.yaml')
  writeFileSync(file, ingress('a', 'v1'))
  const { source, history } = await start(root)
  truncateSync(file)
  await vi.waitFor(() => expect(source.current().broken).toHaveLength(1))
  writeFileSync(file, ingress('a', 'v2'))
  await eventually(source, ['v2'])
  expect(history.every((seen) => seen.length === 1)).toBe(true)
})

test('a broken document is reported while its last good form and the rest stay live, until it is mended', async () => {
  const root = temporaryDirectory()
  const file = path.join(root, 'a.yaml')
  writeFileSync(file, ingress('a', 'v1'))
  const { source } = await start(root)
  writeFileSync(path.join(root, 'b.yaml'), ingress('b', 'b'))
  writeFileSync(file, ingress('a', 'v2').replace('rules:', 'rules: "'))
  await vi.waitFor(() => expect(source.current().broken).toHaveLength(1))
  await eventually(source, ['b', 'v1'])
  expect(source.current().broken[0]?.origin?.file).toBe(file)
  writeFileSync(file, ingress('a', 'v2'))
  await eventually(source, ['b', 'v2'])
  expect(source.current().broken).toEqual([])
})

test('the swap of a mounted ConfigMap is followed, and each object is read once', async () => {
  const root = temporaryDirectory()
  const swap = (version: string): void => {
    const folder = path.join(root, `..${version}`)
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'a.yaml'), ingress('a', version))
    symlinkSync(`..${version}`, path.join(root, '..data_tmp'))
    renameSync(path.join(root, '..data_tmp'), path.join(root, '..data'))
  }
  swap('v1')
  symlinkSync('..data/a.yaml', path.join(root, 'a.yaml'))
  const { source } = await start(root)
  for (const [before, next] of [
    ['v1', 'v2'],
    ['v2', 'v3'],
  ] as const) {
    swap(next)
    rmSync(path.join(root, `..${before}`), { recursive: true })
    await eventually(source, [next])
    expect(source.current().broken).toEqual([])
  }
})

test('temporary and hidden files, other suffixes, named pipes and loops of links are passed over', () => {
  const root = temporaryDirectory()
  for (const name of [
    '.a.yaml',
    '#a.yaml#',
    '.#a.yaml',
    '~$a.yaml',
    'a.yaml~',
    'a.yaml.swp',
    '4913',
    'a.txt',
  ]) {
    writeFileSync(path.join(root, name), ingress('a', name))
  }
  mkdirSync(path.join(root, '.git'))
  writeFileSync(path.join(root, '.git/a.yaml'), ingress('a', 'git'))
  symlinkSync('.', path.join(root, 'loop'))
  symlinkSync('gone.txt', path.join(root, 'dangling'))
  writeFileSync(
    path.join(root, 'b.json'),
    JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'b' } }),
  )
  const { ingresses, services, broken } = readDirectory(root)
  expect(ingresses).toEqual([])
  expect(services).toHaveLength(1)
  expect(broken).toEqual([])
})

test('a dangling link and text that is not UTF-8 are reported, the rest is read', () => {
  const root = temporaryDirectory()
  symlinkSync('gone.yaml', path.join(root, 'dangling.yaml'))
  writeFileSync(path.join(root, 'latin.yaml'), Buffer.from('kind: "\xe9"', 'latin1'))
  writeFileSync(path.join(root, 'z.yaml'), ingress('z', 'z'))
  const { ingresses, broken } = readDirectory(root)
  expect(ingresses).toHaveLength(1)
  expect(broken.map(({ problems }) => problems[0]?.message)).toEqual([
    expect.stringContaining('does not exist'),
    expect.stringContaining('UTF-8'),
  ])
})

test('a single file is a source too, whatever its name, and its replacement is followed', async () => {
  const root = temporaryDirectory()
  const file = path.join(root, 'manifests')
  writeFileSync(file, ingress('a', 'v1'))
  const { source } = await start(file)
  for (let version = 2; version <= 12; version += 1) {
    replace(file, ingress('a', `v${version}`))
    await eventually(source, [`v${version}`])
  }
})

test('a directory that does not exist is refused at the start; one that vanishes later keeps what it held', async () => {
  const missing = path.join(temporaryDirectory(), 'missing')
  expect(() => readDirectory(missing)).toThrow(expect.objectContaining({ code: 'ERR_SOURCE_UNAVAILABLE' }))
  await expect(start(missing)).rejects.toMatchObject({ code: 'ERR_SOURCE_UNAVAILABLE' })

  const root = mkdtempSync(path.join(os.tmpdir(), 'ostiary-'))
  writeFileSync(path.join(root, 'a.yaml'), ingress('a', 'v1'))
  const { source } = await start(root)
  rmSync(root, { recursive: true })
  await vi.waitFor(() => expect(source.problems()).toMatchObject([{ subject: root }]))
  expect(hosts(source)).toEqual(['v1'])
  expect(source.current().broken).toHaveLength(1)
})

test('a directory that is deleted and made anew is followed again', async () => {
  const root = path.join(temporaryDirectory(), 'manifests')
  mkdirSync(root)
  writeFileSync(path.join(root, 'a.yaml'), ingress('a', 'v1'))
  const { source } = await start(root)
  renameSync(root, `${root}-old`)
  mkdirSync(root)
  writeFileSync(path.join(root, 'a.yaml'), ingress('a', 'v2'))
  await eventually(source, ['v2'])
  writeFileSync(path.join(root, 'a.yaml'), ingress('a', 'v3'))
  await eventually(source, ['v3'])
})

test('after the signal nothing is read any more', async () => {
  const root = temporaryDirectory()
  const source = createDirectorySource({ root, logger, settleMs: 1, rescanMs: 1 })
  const controller = new AbortController()
  const onChange = vi.fn<() => void>()
  await source.start(onChange, controller.signal)
  controller.abort()
  await source.stopped()
  const before = onChange.mock.calls.length
  writeFileSync(path.join(root, 'a.yaml'), ingress('a'))
  const other = await start(root)
  await eventually(other.source, ['a.example.com'])
  expect(onChange).toHaveBeenCalledTimes(before)
  expect(source.current().ingresses).toEqual([])
})
