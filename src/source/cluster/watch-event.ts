import { toApiServerError } from './api-server-error.ts'
import type { ApiServerError } from './api-server-error.ts'

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'changed' | 'deleted'; readonly object: object }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  /** 410 among them: the resource version is too old. */
  | { readonly type: 'error'; readonly error: ApiServerError }
  /** Half a line, no JSON, or no event. */
  | { readonly type: 'malformed' }

const MALFORMED: WatchEvent = { type: 'malformed' }

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export function parseWatchEvent(line: string): WatchEvent {
  const event = parseJson(line)
  if (!isMapping(event) || !isMapping(event['object'])) return MALFORMED
  const { type, object } = event as { readonly type?: unknown; readonly object: Record<string, unknown> }
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'changed', object }
    case 'DELETED':
      return { type: 'deleted', object }
    case 'BOOKMARK': {
      const version = resourceVersionOf(object)
      return version === undefined ? MALFORMED : { type: 'bookmark', resourceVersion: version }
    }
    case 'ERROR':
      return { type: 'error', error: toApiServerError(object) }
    default:
      return MALFORMED
  }
}

/** The resource version of a raw object. */
export function resourceVersionOf(object: object): string | undefined {
  const metadata = (object as { metadata?: unknown }).metadata
  if (!isMapping(metadata)) return undefined
  const version = metadata['resourceVersion']
  return typeof version === 'string' && version !== '' ? version : undefined
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
