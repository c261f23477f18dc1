import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { customResourceDefinitions } from './crds.ts'

/** Folders whose files are all generated. The chart carries its own copy: Helm reads nothing outside itself. */
const FOLDERS = ['crds', 'charts/ostiary/crds']

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

const files = customResourceDefinitions()
for (const folder of FOLDERS) {
  for (const [name, text] of files) generate(path.join(folder, name), text)
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (files.has(name)) continue
    stale.push(path.join(folder, name))
    if (!values.check) rmSync(path.join(folder, name))
  }
}

if (values.check && stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}; run npm run generate and commit the result`)
  process.exitCode = 1
} else {
  console.log(stale.length === 0 ? 'generated files are up to date' : `wrote ${stale.join(', ')}`)
}
