import { Pool } from 'undici'
import { cookieHeaderAfter } from '../../src/auth/session/cookie-header.ts'

/** What one run of load is told. */
export interface LoadOrder {
  readonly origin: string
  readonly path: string
  readonly connections: number
  readonly durationMs: number
  /** Requests begin at this rate, whatever becomes of those before. Absent: as fast as they are answered. */
  readonly ratePerSecond?: number
  /** Header lists used in turn. A cookie among them is replaced as a browser does, when an answer sets it anew. */
  readonly headers: readonly Readonly<Record<string, string>>[]
}

export interface LoadResult {
  readonly requests: number
  /** Answers by status; anything but 200 makes the run worthless. */
  readonly statuses: Readonly<Record<string, number>>
  readonly durationMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Keeps `connections` requests in flight for `durationMs`. */
async function run(order: LoadOrder): Promise<LoadResult> {
  const pool = new Pool(order.origin, { connections: order.connections, pipelining: 1, allowH2: false })
  const lists = order.headers.map((each) => ({ ...each }))
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  let next = 0
  const started = performance.now()
  const deadline = started + order.durationMs

  function one(sentAt = performance.now()): Promise<void> {
    return new Promise((resolve, reject) => {
      let status = 0
      const headers = lists[next++ % lists.length]!
      pool.dispatch(
        { path: order.path, method: 'GET', headers },
        {
          onRequestStart() {},
          onResponseStart(_controller, statusCode, { 'set-cookie': cookies }) {
            status = statusCode
            if (cookies === undefined || headers['cookie'] === undefined) return
            const set = [cookies].flat().map((each) => ['set-cookie', each] as const)
            headers['cookie'] = cookieHeaderAfter(headers['cookie'], set)
          },
          onResponseData() {},
          onResponseEnd() {
            latencies.push(performance.now() - sentAt)
            statuses[status] = (statuses[status] ?? 0) + 1
            resolve()
          },
          onResponseError(_controller, error) {
            reject(error)
          },
        },
      )
    })
  }

  async function lane(): Promise<void> {
    while (performance.now() < deadline) await one()
  }

  /** Latency counts from when a request should have begun, so that a stall is seen by all that waited for it. */
  async function paced(ratePerSecond: number): Promise<void> {
    const underWay: Promise<void>[] = []
    for (let begun = 0; performance.now() < deadline; await immediate()) {
      const due = Math.floor(((performance.now() - started) / 1000) * ratePerSecond)
      while (begun < due) underWay.push(one(started + (begun++ / ratePerSecond) * 1000))
    }
    await Promise.all(underWay)
  }

  const lanes = (): Promise<unknown> => Promise.all(Array.from({ length: order.connections }, lane))
  await (order.ratePerSecond === undefined ? lanes() : paced(order.ratePerSecond))
  const durationMs = performance.now() - started
  await pool.close()
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0
  return { requests: latencies.length, statuses, durationMs, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function immediate(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.send?.({ port: 0 })
