import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareText } from '../../src/compiler/order.ts'
import { REASONS } from '../../src/table/reasons.ts'

const ROOT = path.join(import.meta.dirname, '../..')

function textsIn(folder: string, isWanted: (file: string) => boolean): string[] {
  const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return files.filter(isWanted).map((file) => readFileSync(path.join(ROOT, folder, file), 'utf8'))
}

const names = Object.keys(REASONS)

describe('the list of reasons', () => {
  test('is in the order that it is read in', () => {
    const lower = names.map((name) => name.toLowerCase())
    expect(lower).toEqual([...lower].sort(compareText))
  })

  test.each(Object.entries(REASONS))('says what %s means and what to do', (name, entry) => {
    expect(name).toMatch(/^[A-Z][A-Za-z]+$/)
    expect(entry.meaning).toMatch(/^\S.*\S\.$/)
    if (entry.effect === 'condition') return
    expect(entry.action).toMatch(/^[A-Z].*\.$/)
  })

  test('holds every reason that a golden shows, and every one that the source gives an object', () => {
    const goldens = textsIn('test/compiler/golden', (file) => /(status|table)\.yaml$/.test(file))
    const shown = goldens.flatMap((text) =>
      [...text.matchAll(/\breason: ["']?(\w+)/g)].map(([, name]) => name),
    )
    const sources = textsIn('src', (file) => /^(compiler|status|commands|reconciler|api)\/.*\.ts$/.test(file))
    const given = sources.flatMap((text) =>
      [...text.matchAll(/\breason: '([A-Z]\w+)'/g)].map(([, name]) => name),
    )
    expect(shown.length).toBeGreaterThan(50)
    expect([...new Set([...shown, ...given])].filter((name) => !names.includes(name ?? ''))).toEqual([])
  })

  test('holds none that nothing gives', () => {
    const source = textsIn('src', (file) => file.endsWith('.ts') && !file.endsWith('reasons.ts')).join('\n')
    expect(names.filter((name) => !source.includes(`'${name}'`))).toEqual([])
  })
})
