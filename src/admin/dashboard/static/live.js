// Keeps the overview live: asks for the traffic each interval, while the page is seen and nobody paused it.

import { Chart } from './charts.js'

const TIMEOUT_MS = 8000
const LONGEST_WAIT_MS = 30_000

const bar = /** @type {HTMLElement} */ (document.querySelector('[data-charts]'))
const state = /** @type {HTMLElement} */ (document.getElementById('live-state'))
const button = /** @type {HTMLButtonElement} */ (document.getElementById('pause'))
const figures = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-chart]'))
const charts = [...figures].map((figure) => new Chart(figure))
const intervalMs = Math.max(1000, Number(bar.dataset['interval']))

let isPaused = false
let failures = 0
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

/** @param {string} path */
async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' })
  if (!response.ok) throw new Error(`answered ${response.status}`)
  return response
}

/** Parts of the page that the server writes anew; not those where somebody is at work. */
async function renew() {
  const page = new DOMParser().parseFromString(await (await get('/')).text(), 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const fresh = page.getElementById(part.id)
    if (fresh !== null && !part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes)
  }
}

/** @param {string} text @param {boolean} isBad */
function tell(text, isBad) {
  // Each change is read out to who listens to the page: only what is new is written.
  if (state.textContent !== text) state.textContent = text
  bar.classList.toggle('lost', isBad)
}

async function refresh() {
  clearTimeout(timer)
  if (isPaused || document.hidden) return
  try {
    const { samples } = await (await get('/api/traffic')).json()
    for (const chart of charts) chart.show(samples)
    await renew()
    failures = 0
    tell('Live', false)
  } catch {
    failures += 1
    tell('Connection lost: what stands here is old. Trying again…', true)
  }
  clearTimeout(timer)
  timer = setTimeout(
    () => void refresh(),
    Math.min(intervalMs * 2 ** Math.min(failures, 5), Math.max(LONGEST_WAIT_MS, intervalMs)),
  )
}

button.addEventListener('click', () => {
  isPaused = !isPaused
  button.setAttribute('aria-pressed', String(isPaused))
  tell(isPaused ? 'Paused' : 'Live', false)
  void refresh()
})
document.addEventListener('visibilitychange', () => void refresh())
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.redraw()
})
bar.hidden = false
void refresh()
