import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { parseAnnotations } from '../../src/api/annotations.ts'
import { compileOptionsOf } from '../../src/commands/compile-options.ts'
import { compile } from '../../src/compiler/compile.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { readDirectory } from '../../src/source/directory/read-directory.ts'
import { pages, readPage, type Page } from './page.ts'

/** YAML that a page shows, in a block of its own or on its way into `kubectl apply -f -`. */
function yamlIn({ text }: Pick<Page, 'text'>): readonly string[] {
  const blocks = [...text.matchAll(/^ *```yaml\n(.*?)^ *```$/gms), ...text.matchAll(/<<EOF\n(.*?)^EOF$/gms)]
  return blocks.map(([, yaml = '']) => yaml)
}

/** What a page lacks: it shows one object at a time. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'CertificateNotFound',
  'PluginNotFound',
  'SecretNotFound',
  'ServiceNotFound',
])

/** What is wrong with the objects of a page themselves. */
function mistakesIn(yaml: readonly string[]): readonly string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'ostiary-docs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [n, text] of yaml.entries()) writeFileSync(path.join(folder, `${n}.yaml`), text)
  const { diagnostics } = compile(readDirectory(folder), compileOptionsOf(readSettings({}), true))
  return diagnostics
    .filter(({ reason, severity }) => severity === 'error' && !ELSEWHERE.has(reason))
    .map(({ reason, path: place, message }) => `${reason}: ${place} ${message}`)
}

const withManifests = pages()
  .map((page) => [page.file, yamlIn(page).filter((yaml) => yaml.includes('apiVersion:'))] as const)
  .filter(([, yaml]) => yaml.length > 0)

test.each(withManifests)('Ostiary takes the objects that %s shows', (_, yaml) => {
  expect(mistakesIn(yaml)).toEqual([])
})

test('a page whose plugin has a misspelt field would be told', () => {
  const plugin =
    'apiVersion: ostiary.dev/v1alpha1\nkind: OIDCPlugin\nmetadata: { name: a }\nspec: { isuer: x }\n'
  expect(withManifests.length).toBeGreaterThan(2)
  expect(mistakesIn(yamlIn({ text: `<<EOF\n${plugin}EOF\n` }))).not.toEqual([])
})

/** Every mapping of annotations in a document. */
function annotationsIn(value: unknown): readonly Record<string, string>[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Object.entries(value).filter(
    ([key]) => key.startsWith('ostiary.dev/') && key !== 'ostiary.dev/secret',
  )
  const found = own.length === 0 ? [] : [Object.fromEntries(own) as Record<string, string>]
  return [...found, ...Object.values(value).flatMap(annotationsIn)]
}

test('the annotations that docs/annotations.md shows have values that are taken', () => {
  const shown = yamlIn(readPage('docs/annotations.md'))
    .flatMap((yaml) => yaml.split('\n\n'))
    .flatMap((yaml) => annotationsIn(parse(yaml)))
  expect(shown.length).toBeGreaterThan(4)
  const problemsOf = (kind: 'Ingress' | 'Service', annotations: Record<string, string>) =>
    parseAnnotations(kind, annotations).problems
  const refused = shown.filter(
    (each) => problemsOf('Ingress', each).length > 0 && problemsOf('Service', each).length > 0,
  )
  expect(refused).toEqual([])
})
