import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../docs/page.ts'
import { faultsOf, knownMetrics } from './metric-catalogue.ts'

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly legendFormat: string
  }[]
}

interface Variable {
  readonly name: string
  readonly definition?: string
}

interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly links: readonly { readonly url: string }[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly panels: readonly Panel[]
}

const FILES = globSync('charts/ostiary/dashboards/*', { cwd: ROOT }).sort()
const DASHBOARDS = FILES.map(
  (file) =>
    [path.basename(file), JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Dashboard] as const,
)
const KNOWN = await knownMetrics()

/** What Grafana puts in before Prometheus sees it. Variables within text stay: any text is good there. */
const filledIn = (expression: string): string => expression.replaceAll('$__rate_interval', '5m')

const chartsOf = ({ panels }: Dashboard): readonly Panel[] => panels.filter(({ type }) => type !== 'row')

test('there are two dashboards, each with an identity of its own', () => {
  expect(FILES.map((file) => path.basename(file))).toEqual([
    'ostiary-login-and-tokens.json',
    'ostiary-traffic.json',
  ])
  for (const [file, { uid }] of DASHBOARDS) expect(`${uid}.json`).toBe(file)
})

describe.each(DASHBOARDS)('%s', (_, dashboard) => {
  const charts = chartsOf(dashboard)
  const variables = new Set(dashboard.templating.list.map(({ name }) => name))

  test('asks for metrics and labels that there are', () => {
    const queries = charts.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => [title, expr] as const),
    )
    expect(queries.length).toBeGreaterThan(15)
    const faults = queries.flatMap(([title, expr]) =>
      faultsOf(filledIn(expr), KNOWN).map((fault) => `${title}: ${fault}`),
    )
    expect(faults).toEqual([])
  })

  test('chooses by labels that there are', () => {
    const asked = dashboard.templating.list.flatMap(({ definition }) => definition ?? [])
    expect(asked.length).toBeGreaterThan(1)
    for (const definition of asked) {
      const [, selector = '', label = ''] = /^label_values\((.+), ([a-z_]+)\)$/.exec(definition) ?? []
      expect(
        faultsOf(`count by (${label}) (last_over_time(${selector}[5m]))`, KNOWN).filter(isOfNames),
      ).toEqual([])
    }
  })

  test('names no variable that it does not have', () => {
    const named = JSON.stringify(dashboard).matchAll(/\$\{?([a-zA-Z_]+)/g)
    const unknown = [...named].map(([, name = '']) => name).filter((name) => !variables.has(name))
    expect(unknown.filter((name) => !['__rate_interval', '__all'].includes(name))).toEqual([])
  })

  test('has panels with an id, a title, a unit and a description each', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const titles = charts.map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    for (const { title, description, fieldConfig } of charts) {
      expect(description, title).toMatch(/\.$/)
      expect(fieldConfig?.defaults.unit, title).toMatch(/^[a-z]+$/)
    }
  })

  test('shows no panel over another, or beyond the edge', () => {
    const cells = new Set<string>()
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells.has(`${x} ${y}`), title).toBe(false)
          cells.add(`${x} ${y}`)
        }
    }
  })

  test('leads to a dashboard that there is', () => {
    const uids = DASHBOARDS.map(([, { uid }]) => `/d/${uid}`)
    expect(dashboard.links.map(({ url }) => url).filter((url) => !uids.includes(url))).toEqual([])
  })
})

/** A gauge may be looked back at to find its labels. */
function isOfNames(fault: string): boolean {
  return !fault.endsWith('over a range')
}

test.each([
  ['rate(ostiary_nothing_total[5m])', 'no metric ostiary_nothing_total'],
  ['rate(ostiary_http_requests_total{path="/"}[5m])', 'ostiary_http_requests_total has no label path'],
  ['sum by (user) (ostiary_leader)', 'nothing has a label user'],
  ['ostiary_http_requests_total', 'ostiary_http_requests_total, a counter, without range'],
  ['rate(ostiary_leader[5m])', 'ostiary_leader, a gauge, over a range'],
  ['rate(ostiary_upstream_duration_seconds[5m])', 'ostiary_upstream_duration_seconds is of a histogram'],
  ['ostiary_leader{le="1"}', 'ostiary_leader has no label le'],
  [
    'histogram_quantile(0.9, sum by (ingress) (rate(ostiary_upstream_duration_seconds_bucket[5m])))',
    'a quantile needs its buckets by le',
  ],
])('%s is found wrong', (expression, fault) => {
  expect(faultsOf(expression, KNOWN)).toEqual([fault])
})

test.each(['sum by (job (ostiary_leader)', 'ostiary_leader{job=}', 'ostiary_leader >', ''])(
  '%j is no query',
  (expression) => {
    expect(() => faultsOf(expression, KNOWN)).toThrow('not PromQL')
  },
)
