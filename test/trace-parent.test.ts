import { expect, test } from 'vitest'
import { readTraceParent } from '../src/trace-parent.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test('a traceparent names a trace, a span and whether it is sampled', () => {
  expect(readTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true })
  expect(readTraceParent(`00-${TRACE}-${SPAN}-00`)?.isSampled).toBe(false)
  // Of a later version the first four parts count (W3C Trace Context §4.3).
  expect(readTraceParent(`01-${TRACE}-${SPAN}-03-more`)).toMatchObject({ traceId: TRACE, isSampled: true })
})

test.each([
  undefined,
  '',
  'text',
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-011`,
  `00-${TRACE}-${SPAN}`,
  ` 00-${TRACE}-${SPAN}-01`,
])('%j is none', (field) => {
  expect(readTraceParent(field)).toBeUndefined()
})
