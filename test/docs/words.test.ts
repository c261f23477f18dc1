import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { customResourceDefinitions } from '../../scripts/crds.ts'
import { INGRESS_ANNOTATIONS, SERVICE_ANNOTATIONS } from '../../src/api/annotations.ts'
import { doctorOptions } from '../../src/commands/doctor-options.ts'
import { explainOptions } from '../../src/commands/explain-options.ts'
import { compileOptions, runOptions } from '../../src/settings/run-options.ts'
import { REASONS } from '../../src/table/reasons.ts'
import { codeWords, firstCells, pages, readPage, ROOT } from './page.ts'

const ANNOTATIONS: ReadonlySet<string> = new Set([...INGRESS_ANNOTATIONS, ...SERVICE_ANNOTATIONS])
const ALL = pages()

/** Places and words, of all pages. */
function found(pattern: RegExp): readonly (readonly [place: string, word: string])[] {
  return ALL.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map(([, word = '']) => [file, word] as const),
  )
}

function unknown(pattern: RegExp, isKnown: (word: string) => boolean): readonly string[] {
  return found(pattern).flatMap(([place, word]) => (isKnown(word) ? [] : [`${place}: ${word}`]))
}

test('docs/annotations.md describes every annotation, and none that is not there', () => {
  const described = new Set(firstCells(readPage('docs/annotations.md'), 'name'))
  expect([...ANNOTATIONS].filter((name) => !described.has(name))).toEqual([])
  expect([...described].filter((name) => !ANNOTATIONS.has(name))).toEqual([])
})

/** What else is under our domain: a label, the API's version, and controllers of classes. */
const OTHERS_OF_OUR_DOMAIN: ReadonlySet<string> = new Set([
  'secret',
  'v1alpha1',
  'ingress-controller',
  'internal',
])

test('no page names an annotation that is not there', () => {
  const isKnown = (name: string) => ANNOTATIONS.has(name) || OTHERS_OF_OUR_DOMAIN.has(name)
  expect(unknown(/ostiary\.dev\/([a-z][a-z0-9-]*)/g, isKnown)).toEqual([])
})

/** Flags of the programs that the pages call beside ours. */
const FLAGS_OF_OTHERS: ReadonlySet<string> = new Set(
  [
    'help version',
    // helm
    'namespace create-namespace set take-ownership reset-then-reuse-values values',
    // kubectl
    'from-literal cert key server-side prefix tail overwrite for image port target-port',
    // docker and npm
    'read-only cap-drop network build-arg label check json',
    // curl and openssl
    'resolve data insecure cacert request header',
  ].flatMap((names) => names.split(' ')),
)

test('no page names a flag that is not there', () => {
  const ours = [...compileOptions(), ...runOptions(), ...doctorOptions(), ...explainOptions()].map(
    ({ long }) => long ?? '',
  )
  const known = new Set(ours.map((long) => long.replace('--', '')))
  const isKnown = (flag: string) => known.has(flag) || FLAGS_OF_OTHERS.has(flag)
  expect(unknown(/(?<![\w-])--([a-z][a-z0-9-]+)/g, isKnown)).toEqual([])
})

test('no page names a variable that is not there', () => {
  const variables = new Set([...compileOptions(), ...runOptions()].map(({ envVar }) => envVar))
  const isKnown = (name: string) => variables.has(name) || name.startsWith('OSTIARY_TEST_')
  expect(unknown(/\b(OSTIARY_[A-Z0-9_]+)/g, isKnown)).toEqual([])
})

/** Kubernetes' own words, which look the same. */
const KUBERNETES_WORDS: ReadonlySet<string> = new Set(
  'ClusterIP ConfigMap DaemonSet ExternalName ImplementationSpecific LoadBalancer NodePort PreferDualStack'.split(
    ' ',
  ),
)

/** Of pages for users: the others name what is in the code. */
const USER_PAGES = ALL.filter(({ file }) => !/^(CONTRIBUTING\.md|docs\/(adr|reference)\/)/.test(file))

test('no page names a reason or an alert that is not there', () => {
  const alerts = [...readPage('charts/ostiary/alerts.yaml').text.matchAll(/^- alert: (.+)$/gm)]
  const known = new Set([
    ...Object.keys(REASONS),
    ...KUBERNETES_WORDS,
    ...alerts.map(([, name = '']) => name),
  ])
  const words = USER_PAGES.flatMap((page) => codeWords(page).map((word) => [page.file, word] as const))
  const strangers = words
    .filter(([, word]) => /^[A-Z][a-z]+([A-Z][a-z]+)+$/.test(word) && !known.has(word))
    .map(([file, word]) => `${file}: ${word}`)
  expect(strangers).toEqual([])
})

function sourceOf(...folders: readonly string[]): string {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }))
  return files.map((file) => readFileSync(path.join(ROOT, file), 'utf8')).join('\n')
}

test('docs/troubleshooting.md names every reason of a refusal, and none that is never given', () => {
  const named = new Set(
    codeWords(readPage('docs/troubleshooting.md')).filter((word) => /^[a-z]+(_[a-z0-9]+)+$/.test(word)),
  )
  const union = /type RefusalReason =([^;]*?)\n\n/.exec(
    readFileSync(path.join(ROOT, 'src/auth/decision.ts'), 'utf8'),
  )
  const ofAuthorization = [...(union?.[1] ?? '').matchAll(/'([a-z_]+)'/g)]
  const ofProxy = [...sourceOf('src/proxy').matchAll(/reason: '([a-z]+(?:_[a-z0-9]+)+)'/g)]
  expect(ofAuthorization.length).toBeGreaterThan(20)
  const given = [...ofAuthorization, ...ofProxy].map(([, word = '']) => word)
  expect(given.filter((word) => !named.has(word))).toEqual([])
  const source = sourceOf('src')
  const strangers = [...named].filter((word) => !word.startsWith('ostiary_') && !source.includes(`'${word}'`))
  expect(strangers).toEqual([])
})

/** Every name of a field of our kinds, and every path of the chart's values. */
function fieldNames(): ReadonlySet<string> {
  const names = new Set<string>()
  const collect = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, child] of Object.entries(value)) {
      names.add(key)
      names.add(path === '' ? key : `${path}.${key}`)
      collect(child, path === '' ? key : `${path}.${key}`)
    }
  }
  for (const crd of customResourceDefinitions().values()) collect(parse(crd), '')
  collect(parse(readFileSync(path.join(ROOT, 'charts/ostiary/values.yaml'), 'utf8')), '')
  return names
}

/** Of an Ingress, a container and cert-manager's solvers. */
const FIELDS_OF_OTHERS: ReadonlySet<string> = new Set(['ingressClassName', 'envFrom', 'ingressTemplate'])

/** Members of the lines that are written of requests. */
function logMembers(): readonly string[] {
  const byHand = [...sourceOf('src/observability').matchAll(/,"([a-zA-Z]+)":/g)]
  const audited = readFileSync(path.join(ROOT, 'src/audit-event.ts'), 'utf8').matchAll(
    /readonly ([a-zA-Z]+)\??:/g,
  )
  return [...byHand, ...audited].map(([, name = '']) => name)
}

test('docs/operations.md describes every member of access log and audit log', () => {
  const described = codeWords(readPage('docs/operations.md'))
  const members = logMembers().filter((name) => name !== 'msg')
  expect(members.length).toBeGreaterThan(20)
  expect(members.filter((name) => !described.includes(name))).toEqual([])
})

test('no page names a field, a value of the chart or a member of a log that is not there', () => {
  const known = new Set([...fieldNames(), ...FIELDS_OF_OTHERS, ...logMembers()])
  const strangers = USER_PAGES.flatMap((page) =>
    codeWords(page)
      .map((word) => word.replace(/[:=].*$/, '').replace(/^spec\./, ''))
      .filter(
        (word) =>
          /^[a-z]+([A-Z][a-z]+)+(\.[a-zA-Z]+)*$|^[a-z]+(\.[a-z]+[A-Z][a-zA-Z]+)+$/.test(word) &&
          !known.has(word),
      )
      .map((word) => `${page.file}: ${word}`),
  )
  expect(strangers).toEqual([])
})
