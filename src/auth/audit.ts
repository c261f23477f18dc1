import type { AuditEvent, AuditObserver } from '../audit-event.ts'
import { nameClaim } from './claims.ts'
import { displayName } from './display-name.ts'
import { header, type RequestFacts } from './request-facts.ts'
import type { Session } from './session/session.ts'
import { readTraceParent } from '../trace-parent.ts'

/** What happened, apart from where and to whom. */
export type Happening = Omit<AuditEvent, 'client' | 'method' | 'host' | 'path' | 'traceId'>

/** Tells what happened with a request, and to whose session. */
export function audit(
  observer: AuditObserver | undefined,
  facts: RequestFacts,
  happening: Happening,
  session?: Session,
): void {
  if (observer === undefined) return
  const traceId = readTraceParent(header(facts, 'traceparent'))?.traceId
  observer.happened({
    ...happening,
    ...(session !== undefined && ownerOf(session)),
    ...placeOf(facts),
    ...(traceId !== undefined && { traceId }),
  })
}

function placeOf({
  clientAddress,
  method,
  authority,
  target,
}: RequestFacts): Pick<AuditEvent, 'client' | 'method' | 'host' | 'path'> {
  return { client: clientAddress, method, host: authority, path: target.replace(/[?#].*$/s, '') }
}

function ownerOf({ accessTokenClaims, idTokenClaims }: Session): Pick<AuditEvent, 'subject' | 'username'> {
  const sources = [idTokenClaims, accessTokenClaims]
  const subject = sources.map(({ sub }) => nameClaim(sub)).find((each) => each !== undefined)
  const username = displayName(sources)
  return { ...(subject !== undefined && { subject }), ...(username !== undefined && { username }) }
}
