import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bench, resultNamed, settle } from './setup.ts'

const QUIET_MS = 30
const MAX_MS = 300

/** When the windows of these events close, written down anew from the definition. */
function windows(eventsMs: readonly number[]): number[] {
  const closes: number[] = []
  let first: number | undefined
  let last = 0
  const closeBefore = (ms: number): void => {
    if (first === undefined) return
    const closeMs = Math.min(last + QUIET_MS, first + MAX_MS)
    if (closeMs > ms) return
    closes.push(closeMs)
    first = undefined
  }
  for (const ms of eventsMs) {
    closeBefore(ms)
    first ??= ms
    last = ms
  }
  closeBefore(Infinity)
  return closes
}

test('any burst is compiled after its last event, at most once a window, and never published twice at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 0, max: 200 }),
      async (gapsMs, publishMs) => {
        const bench = new Bench({ quietMs: QUIET_MS, maxMs: MAX_MS })
        const startMs = bench.timers.now()
        const compiledAtMs: number[] = []
        let publishing = 0
        let mostAtOnce = 0
        bench.compile = () => {
          compiledAtMs.push(bench.timers.now() - startMs)
          return resultNamed(`t${compiledAtMs.length}`)
        }
        bench.publish = async () => {
          publishing += 1
          mostAtOnce = Math.max(mostAtOnce, publishing)
          if (publishMs > 0) await new Promise<void>((resolve) => void bench.timers.after(publishMs, resolve))
          publishing -= 1
        }

        let ms = 0
        const eventsMs = gapsMs.map((gap) => (ms += gap))
        for (const gap of gapsMs) {
          for (let passed = 0; passed < gap; passed += 1) {
            bench.timers.advance(1)
            await settle()
          }
          bench.reconciler.changed()
        }
        await bench.advance(MAX_MS + 2 * publishMs + 10)

        expect(mostAtOnce).toBe(1)
        const expected = windows(eventsMs)
        if (publishMs === 0) expect(compiledAtMs).toEqual(expected)
        expect(compiledAtMs.length).toBeLessThanOrEqual(expected.length)
        expect(compiledAtMs.at(-1)).toBeGreaterThanOrEqual(eventsMs.at(-1)!)
        expect(bench.reconciler.current()).toBe(bench.published.at(-1))
      },
    ),
    { numRuns: 40 },
  )
})
