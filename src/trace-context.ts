import { AsyncLocalStorage } from 'node:async_hooks'
import type { TraceParent } from './trace-parent.ts'

/**
 * The span that what runs now belongs to, for calls that are made far from the request which needs them. Nothing is in it
 * unless a request is traced, and then only of that request: a call that several wait for belongs to the first.
 */
export const currentTrace = new AsyncLocalStorage<TraceParent>()
