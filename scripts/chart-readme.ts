import { readFileSync } from 'node:fs'
import { chartValues, valuePaths, type ChartValue } from './chart-values.ts'
import { markdownTable } from './markdown-table.ts'

const BEGIN = '<!-- values, generated from values.yaml by `npm run generate`; do not edit -->'
const END = '<!-- end of values -->'

/**
 * The chart's README with its table of values renewed.
 *
 * @param chart Folder of the chart: with README.md, values.yaml and values.schema.json.
 * @throws {TypeError} When a value has no comment, or values and schema do not name the same.
 */
export function chartReadme(chart: string): string {
  const readme = readFileSync(`${chart}/README.md`, 'utf8')
  const values = chartValues(readFileSync(`${chart}/values.yaml`, 'utf8'))
  const schema = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8')) as object
  compareWithSchema(values, valuePaths(schema))
  const [before, rest = ''] = readme.split(BEGIN)
  const [, after] = rest.split(END)
  if (after === undefined) throw new TypeError(`${chart}/README.md lacks "${BEGIN}" and "${END}"`)
  return `${before}${BEGIN}\n\n${tableOf(values)}\n\n${END}${after}`
}

function tableOf(values: readonly ChartValue[]): string {
  const rows = values.map(({ path, standard, description }) => [
    `\`${path}\``,
    `\`${JSON.stringify(standard)}\``,
    description,
  ])
  return markdownTable(['value', 'default', 'meaning'], rows)
}

/** What only one of the two knows would be refused by Helm, or accepted and without effect. */
function compareWithSchema(values: readonly ChartValue[], inSchema: readonly string[]): void {
  const inValues = values.map(({ path }) => path)
  const missing = inValues.filter((path) => !inSchema.includes(path))
  const unknown = inSchema.filter((path) => !inValues.includes(path))
  if (missing.length > 0) throw new TypeError(`not in values.schema.json: ${missing.join(', ')}`)
  if (unknown.length > 0) throw new TypeError(`only in values.schema.json: ${unknown.join(', ')}`)
}
