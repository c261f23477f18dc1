// Draws what the traffic was, by uPlot, in the colours that dashboard.css gives the legends.

/** @typedef {import('../dashboard-model.ts').TrafficSample} TrafficSample */
/** @typedef {(sample: TrafficSample) => number | undefined} Value */

/** As traffic-charts.ts has them. @type {Readonly<Record<string, readonly Value[]>>} */
const VALUES = {
  requests: [(sample) => sample.requestsPerSecond],
  errors: [(sample) => sample.clientErrorsPerSecond, (sample) => sample.serverErrorsPerSecond],
  latency: [(sample) => sample.p50Ms, (sample) => sample.p99Ms],
  decisions: [
    (sample) => sample.decisionsPerSecond.allow,
    (sample) => sample.decisionsPerSecond.redirect,
    (sample) => sample.decisionsPerSecond.respond,
    (sample) => sample.decisionsPerSecond.refuse,
    (sample) => sample.decisionsPerSecond.unavailable,
  ],
}

/** Beside colours, lines differ by these. */
const DASHES = [[], [6, 3], [2, 3], [10, 3, 2, 3], [1, 4]]
const DECADES = [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
const HEIGHT = 170
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZone: 'UTC',
})

/** One chart in its figure. Its legend tells the newest values, or those under the pointer. */
export class Chart {
  /** @type {HTMLElement} */ #figure
  /** @type {HTMLElement} */ #canvas
  /** @type {readonly Value[]} */ #values
  /** @type {readonly HTMLElement[]} */ #texts
  /** @type {uPlot | undefined} */ #plot
  /** @type {uPlot.AlignedData} */ #data = [[]]

  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.#figure = figure
    this.#canvas = /** @type {HTMLElement} */ (figure.querySelector('.canvas'))
    this.#values = VALUES[figure.dataset['chart'] ?? ''] ?? []
    this.#texts = [...figure.querySelectorAll('b')]
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#canvas)
  }

  /** @param {readonly TrafficSample[]} samples */
  show(samples) {
    const times = samples.map(({ atMs }) => atMs / 1000)
    this.#data = [times, ...this.#values.map((value) => samples.map((sample) => value(sample) ?? null))]
    if (this.#plot === undefined) this.redraw()
    else this.#plot.setData(this.#data)
    this.#tell(undefined)
  }

  /** Anew, as colours have changed. */
  redraw() {
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#options(), this.#data, this.#canvas)
  }

  #size() {
    return { width: Math.max(this.#canvas.clientWidth, 120), height: HEIGHT }
  }

  /** @returns {uPlot.Options} */
  #options() {
    const { borderTopColor: grid, color: text } = getComputedStyle(this.#canvas)
    const axis = {
      stroke: text,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
      font: '11px system-ui, sans-serif',
    }
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false },
      scales: { y: this.#scale() },
      axes: [
        {
          ...axis,
          space: 90,
          size: 30,
          values: (_plot, splits) => splits.map((at) => CLOCK.format(at * 1000)),
        },
        { ...axis, size: 46, values: (_plot, splits) => splits.map(short), ...this.#ticks() },
      ],
      series: [{}, ...this.#values.map((_value, index) => this.#line(index))],
      hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx ?? undefined)] },
    }
  }

  /** @returns {uPlot.Axis} uPlot has no good ticks for arcsinh. */
  #ticks() {
    return this.#figure.dataset['scale'] === 'wide'
      ? { splits: (plot) => DECADES.filter((at) => at <= (plot.scales['y']?.max ?? 0)) }
      : {}
  }

  /** @returns {uPlot.Scale} Where one line is far above the others, those are seen too (arcsinh: a logarithm that has 0). */
  #scale() {
    const isWide = this.#figure.dataset['scale'] === 'wide'
    return {
      range: (_plot, _low, high) => [0, high > 0 ? high * (isWide ? 1.5 : 1.1) : 1],
      ...(isWide && { distr: 4, asinh: 1 }),
    }
  }

  /** @param {number} index @returns {uPlot.Series} */
  #line(index) {
    const swatch = this.#figure.querySelectorAll('.swatch')[index]
    const stroke = swatch === undefined ? '' : getComputedStyle(swatch).color
    return { stroke, width: 2, dash: DASHES[index] ?? [], points: { show: false }, spanGaps: false }
  }

  /** @param {number | undefined} index of the sample; absent: the newest */
  #tell(index) {
    for (const [series, text] of this.#texts.entries()) {
      const value = this.#data[series + 1]?.at(index ?? -1)
      text.textContent = typeof value === 'number' ? short(value) : '–'
    }
  }
}

/** @param {number} value */
function short(value) {
  if (value !== 0 && Math.abs(value) < 0.01) return '<0.01'
  return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(value)
}
