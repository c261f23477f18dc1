import type { AuditObserver } from '../audit-event.ts'
import { systemClock, systemTimers } from '../clock.ts'
import { AccessLog } from '../observability/access-log.ts'
import { AuditLog } from '../observability/audit-log.ts'
import { LineBatches, type LineBatch } from '../observability/line-batches.ts'
import { Recorders } from '../observability/recorders.ts'
import type { RequestRecorder } from '../observability/request-record.ts'
import { RequestSpans } from '../observability/request-spans.ts'
import { RequestTraces } from '../observability/request-trace.ts'
import type { ProxyServerDependencies } from './proxy-server.ts'
import type { LineKind, ThreadLogs } from './thread-messages.ts'

/** What a thread writes down of its requests, on its way to the main thread. */
export interface Recording {
  readonly dependencies: Pick<ProxyServerDependencies, 'audit' | 'recorder' | 'traces'>
  readonly audit: AuditObserver | undefined
  readonly lines: Readonly<Record<LineKind, LineBatches>>
}

/** @param send Takes batches to the main thread. */
export function startRecording(logs: ThreadLogs, send: (of: LineKind, batch: LineBatch) => void): Recording {
  const { accessLog, auditLog, traceRatio } = logs
  const batches = (of: LineKind): LineBatches => new LineBatches(systemTimers, (batch) => send(of, batch))
  const lines = { logs: batches('logs'), spans: batches('spans') }
  const write = (line: string): void => lines.logs.add(line)
  const audit = auditLog && new AuditLog(auditLog, () => systemClock.now(), write)
  const recorders: RequestRecorder[] = []
  if (accessLog !== undefined) recorders.push(new AccessLog(accessLog, write))
  if (traceRatio !== undefined) {
    recorders.push(new RequestSpans((span) => lines.spans.add(`${JSON.stringify(span)}\n`)))
  }
  const [recorder] = recorders.length > 1 ? [new Recorders(recorders)] : recorders
  return {
    dependencies: {
      ...(recorder !== undefined && { recorder }),
      ...(audit !== undefined && { audit }),
      ...(traceRatio !== undefined && { traces: new RequestTraces(traceRatio) }),
    },
    audit,
    lines,
  }
}
