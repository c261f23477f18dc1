import { createHash } from 'node:crypto'
import { API_VERSION } from '../api/consumer.ts'
import type { ObservedObject } from '../api/observed-object.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { Reason } from '../table/reasons.ts'
import { microTime } from './micro-time.ts'

/** Something to tell of one object. */
export interface Occurrence {
  readonly object: ObservedObject
  readonly reason: Reason
  readonly note: string
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Ingress: 'networking.k8s.io/v1',
  IngressClass: 'networking.k8s.io/v1',
  Service: 'v1',
  Secret: 'v1',
  Namespace: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  OIDCPlugin: API_VERSION,
  Consumer: API_VERSION,
}

/** The API server takes no longer note; in bytes. */
const MAXIMUM_NOTE = 1024
/** Room for the digest in a name of 253 characters. */
const MAXIMUM_NAME = 220
/** Where Events of objects without a namespace are. */
const CLUSTER_NAMESPACE = 'default'

/** What an Event says of a diagnostic: the place, what is wrong and the remedy, which a long message does not crowd out. */
export function occurrenceOf(object: ObservedObject, diagnostic: Diagnostic): Occurrence {
  const { path, message, remedy, reason } = diagnostic
  const action = cut(remedy, MAXIMUM_NOTE / 2)
  const room = MAXIMUM_NOTE - Buffer.byteLength(action) - 1
  // Some end in a question: "did you mean …?"
  const sentence = `${path === '' ? '' : `${path}: `}${message}${message.endsWith('?') ? '' : '.'}`
  return { object, reason, note: `${cut(sentence, room)} ${action}` }
}

/** @param maximum In bytes of UTF-8, as the API server counts. */
function cut(text: string, maximum: number): string {
  if (Buffer.byteLength(text) <= maximum) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maximum - Buffer.byteLength('…')))
  return `${text.slice(0, read)}…`
}

/**
 * The same for the same object, reason and note, whichever replica tells it, so that a new leader goes on counting
 * instead of repeating.
 */
export function eventName({ object, reason, note }: Occurrence): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([object.uid, reason, note]))
    .digest('hex')
  return `${object.name.slice(0, MAXIMUM_NAME)}.${digest.slice(0, 16)}`
}

export function eventNamespace({ object }: Occurrence): string {
  return object.namespace === '' ? CLUSTER_NAMESPACE : object.namespace
}

/** Who tells an Event: which installation, and which process of it. */
export interface Reporter {
  readonly controller: string
  readonly instance: string
}

/**
 * A new Event.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
export function newEvent(occurrence: Occurrence, reporter: Reporter, nowMs: number): object {
  const { kind, namespace, name, uid, resourceVersion } = occurrence.object
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(occurrence), namespace: eventNamespace(occurrence) },
    eventTime: microTime(nowMs),
    type: 'Warning',
    reason: occurrence.reason,
    action: 'Compile',
    note: occurrence.note,
    regarding: { apiVersion: API_VERSIONS[kind] ?? 'v1', kind, namespace, name, uid, resourceVersion },
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, 128),
  }
}

/** How often an Event was told, and when last. Total: what cannot be read counts as once, long ago. */
export function historyOf(event: unknown): { readonly count: number; readonly lastMs: number } {
  const { series, eventTime } = (event ?? {}) as {
    series?: { count?: unknown; lastObservedTime?: unknown } | null
    eventTime?: unknown
  }
  const lastMs = Date.parse(String(series?.lastObservedTime ?? eventTime))
  return {
    count: typeof series?.count === 'number' ? series.count : 1,
    lastMs: Number.isNaN(lastMs) ? 0 : lastMs,
  }
}

/** The change that counts one more. */
export function countedEvent(count: number, nowMs: number): object {
  return { series: { count: count + 1, lastObservedTime: microTime(nowMs) } }
}
