import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { chartReadme } from './chart-readme.ts'
import { commandReference } from './command-reference.ts'
import { crdTemplate } from './crd-template.ts'
import { customResourceDefinitions, kustomizationOf } from './crds.ts'
import { fieldReference } from './field-reference.ts'
import { flagReference } from './flag-reference.ts'
import { metricReference } from './metric-reference.ts'
import { performancePage } from './performance-page.ts'
import { reasonReference } from './reason-reference.ts'

const CHART = 'charts/ostiary'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const stale: string[] = []

/** Writes a file, or with `--check` only notes that it differs. */
function generate(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  stale.push(file)
  if (values.check) return
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Writes a folder whose files are all generated, and removes what is in it besides. */
function generateFolder(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, text] of files) generate(path.join(folder, name), text)
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (files.has(name)) continue
    stale.push(path.join(folder, name))
    if (!values.check) rmSync(path.join(folder, name))
  }
}

const crds = customResourceDefinitions()
generateFolder('crds', crds)
// Not the chart's crds/ folder: Helm installs what is in there once, and never upgrades it.
generateFolder(
  `${CHART}/templates/crds`,
  new Map([...crds].map(([name, crd]) => [name, crdTemplate(crd)] as const)),
)
// A copy: kustomize reads nothing outside of a base, and beside `crds/` its own file would be applied as an object.
generateFolder(
  'deploy/kustomize/crds',
  new Map([...crds, ['kustomization.yaml', kustomizationOf([...crds.keys()])]]),
)
generate(`${CHART}/README.md`, chartReadme(CHART))

generateFolder(
  'docs/reference',
  new Map([
    ['oidcplugin.md', fieldReference(crds.get('ostiary.dev_oidcplugins.yaml') ?? '')],
    ['consumer.md', fieldReference(crds.get('ostiary.dev_consumers.yaml') ?? '')],
    ['commands.md', commandReference()],
    ['flags.md', flagReference()],
    ['metrics.md', await metricReference()],
    ['reasons.md', reasonReference()],
  ]),
)

generate('docs/performance.md', performancePage(readFileSync('docs/performance.json', 'utf8')))

if (values.check && stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}; run npm run generate and commit the result`)
  process.exitCode = 1
} else {
  console.log(stale.length === 0 ? 'generated files are up to date' : `wrote ${stale.join(', ')}`)
}
