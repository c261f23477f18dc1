import { OstiaryError } from '../../errors.ts'
import type { DebuggedThread } from './debug-source.ts'

const DEFAULT_SECONDS = 10
const MAXIMUM_SECONDS = 60

/** @throws OstiaryError ERR_SETTINGS_INVALID */
export function readSeconds(value: unknown): number {
  if (value === undefined) return DEFAULT_SECONDS
  const seconds = numberOf(value)
  if (seconds >= 1 && seconds <= MAXIMUM_SECONDS) return seconds
  throw invalid(`seconds must be a whole number from 1 to ${MAXIMUM_SECONDS}`)
}

/** @throws OstiaryError ERR_SETTINGS_INVALID */
export function readThread(value: unknown): DebuggedThread {
  if (value === undefined || value === 'main') return 'main'
  const thread = numberOf(value)
  if (thread >= 1) return thread
  throw invalid('thread must be main, or the number of a proxy thread, from 1')
}

function numberOf(value: unknown): number {
  return typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN
}

function invalid(message: string): OstiaryError {
  return new OstiaryError('ERR_SETTINGS_INVALID', message)
}
