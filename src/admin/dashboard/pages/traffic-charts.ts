import type { TrafficHistory, TrafficSample } from '../dashboard-model.ts'
import { html, type Html } from '../html.ts'
import { table, type Column } from './table.ts'
import { figure, timeOfDay } from './words.ts'

interface Chart {
  /** What live.js calls it. */
  readonly id: string
  readonly title: string
  readonly unit: string
  /** `wide`: one line may be thousands of times above another. */
  readonly scale?: 'wide'
  readonly series: readonly Series[]
}

interface Series {
  readonly name: string
  readonly value: (sample: TrafficSample) => number | undefined
}

const CHARTS: readonly Chart[] = [
  {
    id: 'requests',
    title: 'Requests',
    unit: 'per second',
    series: [{ name: 'requests', value: (sample) => sample.requestsPerSecond }],
  },
  {
    id: 'errors',
    title: 'Errors',
    unit: 'per second',
    series: [
      { name: '4xx', value: (sample) => sample.clientErrorsPerSecond },
      { name: '5xx', value: (sample) => sample.serverErrorsPerSecond },
    ],
  },
  {
    id: 'latency',
    title: 'Latency',
    unit: 'ms',
    series: [
      { name: 'p50', value: (sample) => sample.p50Ms },
      { name: 'p99', value: (sample) => sample.p99Ms },
    ],
  },
  {
    id: 'decisions',
    title: 'Decisions',
    unit: 'per second, logarithmic',
    scale: 'wide',
    series: (['allow', 'redirect', 'respond', 'refuse', 'unavailable'] as const).map((name) => ({
      name,
      value: (sample) => sample.decisionsPerSecond[name],
    })),
  },
]

/** Of the table beside the charts, newest first. */
const ROWS = 12

/** Places for charts, which live.js draws into, with the newest values as text. */
export function charts({ intervalMs, samples }: TrafficHistory): Html {
  const last = samples.at(-1)
  return html`<div class="live-bar" data-charts data-interval="${intervalMs}" hidden>
      <p id="live-state" role="status">Connecting…</p>
      <button type="button" id="pause" aria-pressed="false">Pause</button>
    </div>
    <div class="charts">${CHARTS.map((chart) => chartFigure(chart, last))}</div>`
}

function chartFigure({ id, scale, series, title, unit }: Chart, last: TrafficSample | undefined): Html {
  return html`<figure class="chart" data-chart="${id}" ${scale && html` data-scale="${scale}"`}>
    <figcaption>
      <h3>${title} <span class="quiet">${unit}</span></h3>
      <ul class="legend">
        ${series.map(
          (each, index) =>
            html`<li class="series-${index + 1}">
              <span class="swatch" aria-hidden="true"></span>${each.name}
              <b data-series="${each.name}">${shown(last && each.value(last))}</b>
            </li>`,
        )}
      </ul>
    </figcaption>
    <div class="canvas" role="img" aria-label="${title} over time; the table below has the numbers"></div>
  </figure> `
}

/** The same as numbers, for who does not see charts and where no script runs. */
export function trafficTable({ intervalMs, samples }: TrafficHistory): Html {
  const columns: readonly Column<TrafficSample>[] = [
    { name: 'Time (UTC)', cell: ({ atMs }) => timeOfDay(atMs) },
    ...CHARTS.flatMap((chart) => chart.series.map((series) => columnOf(series, chart.unit))),
    { name: 'in flight', cell: ({ requestsInFlight }) => figure(requestsInFlight), isNumber: true },
    { name: 'connections', cell: ({ openConnections }) => figure(openConnections), isNumber: true },
  ]
  return html`<h3>
      In numbers
      <span class="quiet"
        >the last ${ROWS} intervals of ${intervalMs / 1000} s; per second, latency in ms</span
      >
    </h3>
    ${table(samples.slice(-ROWS).toReversed(), columns, { label: 'Traffic in numbers', empty: 'The first interval has not ended yet.' })}`
}

function columnOf({ name, value }: Series, unit: string): Column<TrafficSample> {
  const suffix = unit === 'ms' ? ' ms' : ''
  return { name: `${name}${suffix}`, cell: (sample) => shown(value(sample)), isNumber: true }
}

function shown(value: number | undefined): string {
  return value === undefined ? '–' : figure(value)
}
