import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parseAllDocuments, stringify } from 'yaml'

const HELM = process.env['HELM'] ?? 'helm'
const ROOT = 'deploy/kustomize'
const HEADER = '# Rendered from charts/ostiary by `node scripts/kustomize.ts`; do not edit.\n'

/** What each folder is rendered from, and what it has besides. */
const BASES = [
  { folder: 'base', values: ['crds.install=false'], resources: ['../crds', 'namespace.yaml'] },
  { folder: 'namespaced', values: ['crds.install=false', 'rbac.scope=namespaced'], resources: [] },
] as const

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ostiary-system' } }

interface Manifest {
  readonly metadata: { readonly labels?: Record<string, string> }
  readonly spec?: { readonly template?: { readonly metadata?: { readonly labels?: Record<string, string> } } }
}

/** The files of all bases by path, as the chart has them now. Needs helm, on the PATH or named by HELM. */
function kustomizeFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const { folder, values, resources } of BASES) {
    const rendered = [...byTemplate(helmTemplate(values))]
    const names = [...resources, ...rendered.map(([name]) => name)].sort()
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: 'ostiary-system',
      resources: names,
    }
    files.set(path.join(ROOT, folder, 'kustomization.yaml'), HEADER + stringify(kustomization))
    if (names.includes('namespace.yaml'))
      files.set(path.join(ROOT, folder, 'namespace.yaml'), HEADER + stringify(NAMESPACE))
    for (const [name, text] of rendered) files.set(path.join(ROOT, folder, name), HEADER + text)
  }
  return files
}

function helmTemplate(values: readonly string[]): string {
  const fixed = [
    'template',
    'ostiary',
    'charts/ostiary',
    '--namespace=ostiary-system',
    '--kube-version=1.36.0',
  ]
  const { stdout, stderr, error, status } = spawnSync(
    HELM,
    [...fixed, ...values.map((each) => `--set=${each}`)],
    { encoding: 'utf8' },
  )
  if (error !== undefined)
    throw new Error(`${HELM}: ${error.message}; put helm on the PATH, or name it by HELM`)
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** A file for each template, without the labels that only Helm has a use for. */
function* byTemplate(rendered: string): Generator<[string, string]> {
  const documents = new Map<string, string[]>()
  for (const document of rendered.split(/^---\n/m)) {
    const [, template] = /^# Source: ostiary\/templates\/(.*)\n/.exec(document) ?? []
    if (template === undefined) continue
    const object = parseAllDocuments(document)[0]?.toJS() as Manifest | null
    if (object === null) continue
    forgetHelm(object.metadata.labels)
    forgetHelm(object.spec?.template?.metadata?.labels)
    documents.set(template, [...(documents.get(template) ?? []), stringify(object)])
  }
  for (const [template, texts] of documents) yield [template, texts.join('---\n')]
}

function forgetHelm(labels: Record<string, string> = {}): void {
  delete labels['helm.sh/chart']
  delete labels['app.kubernetes.io/managed-by']
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const files = kustomizeFiles()
const stale: string[] = []
for (const [file, text] of files) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(file)
  if (values.check) continue
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}
for (const { folder } of BASES) {
  const place = path.join(ROOT, folder)
  for (const name of existsSync(place) ? readdirSync(place) : []) {
    const file = path.join(place, name)
    if (files.has(file)) continue
    stale.push(file)
    if (!values.check) rmSync(file)
  }
}
if (values.check && stale.length > 0) {
  console.error(
    `not as the chart renders it: ${stale.join(', ')}; run node scripts/kustomize.ts and commit the result`,
  )
  process.exitCode = 1
} else {
  console.log(stale.length === 0 ? 'deploy/kustomize is up to date' : `wrote ${stale.join(', ')}`)
}
