import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Resources } from '../../src/api/resources.ts'
import { compile } from '../../src/compiler/compile.ts'
import type { CompileOptions } from '../../src/compiler/options.ts'
import { printFindings, printTable } from '../../src/compiler/print.ts'
import { FILE_OPTIONS, readManifests } from './manifests.ts'

/**
 * A folder per case: `in.yaml`, perhaps `options.yaml` over the options of files, and what comes out: `table.yaml` and
 * `status.yaml`. GOLDEN_UPDATE=1 writes the latter two and removes everything else.
 */
const FOLDER = path.join(import.meta.dirname, 'golden')
const INPUTS = ['in.yaml', 'options.yaml']
const OUTPUTS = ['table.yaml', 'status.yaml']
const IS_UPDATE = process.env['GOLDEN_UPDATE'] === '1'

const cases = readdirSync(FOLDER).sort()

test('there are goldens', () => {
  expect(cases.length).toBeGreaterThan(30)
})

describe.each(cases)('%s', (name) => {
  const folder = path.join(FOLDER, name)
  const resources = readManifests(readFileSync(path.join(folder, 'in.yaml'), 'utf8'))
  const { table, statuses, diagnostics } = compile(resources, readOptions(folder))
  const printed = { 'table.yaml': printTable(table), 'status.yaml': printFindings(statuses, diagnostics) }

  test('compiles to its table and statuses', () => {
    if (IS_UPDATE) update(folder, printed)
    expect(
      readdirSync(folder)
        .filter((file) => !INPUTS.includes(file))
        .sort(),
    ).toEqual([...OUTPUTS].sort())
    for (const [file, text] of Object.entries(printed)) {
      expect(text, file).toBe(readFileSync(path.join(folder, file), 'utf8'))
    }
  })

  test('prints no secret', () => {
    const everything = Object.values(printed).join('\n')
    for (const value of secretValues(resources)) expect(everything).not.toContain(value)
  })
})

function readOptions(folder: string): CompileOptions {
  const file = path.join(folder, 'options.yaml')
  if (!existsSync(file)) return FILE_OPTIONS
  return { ...FILE_OPTIONS, ...(parse(readFileSync(file, 'utf8')) as Partial<CompileOptions>) }
}

function update(folder: string, printed: Readonly<Record<string, string>>): void {
  for (const file of readdirSync(folder)) {
    if (!INPUTS.includes(file)) rmSync(path.join(folder, file), { recursive: true })
  }
  for (const [file, text] of Object.entries(printed)) writeFileSync(path.join(folder, file), text)
}

/** Of PEM values, the first line of the body: the frame is no secret. */
function secretValues({ secrets }: Resources): string[] {
  return secrets
    .flatMap(({ values }) => Object.values(values).map((value) => value.reveal().trim()))
    .map((value) => (value.startsWith('-----BEGIN') ? value.split('\n')[1]! : value))
    .filter((value) => value !== '')
}
