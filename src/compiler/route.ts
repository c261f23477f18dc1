import type { Annotations } from '../api/annotations.ts'
import { objectKey } from '../api/object.ts'
import type { AccessControl, Route, RouteAction } from '../table/routing-table.ts'
import type { ForwardingSettings } from '../table/upstream-settings.ts'
import type { CompiledCanary } from './canary.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Guard } from './plugin-attachment.ts'
import type { PathEntry } from './rules.ts'
import { redirectsToHttps } from './ssl-redirect.ts'
import type { BackendReading } from './upstream.ts'

/** How requests get from a route to its upstream, where that is not the usual way. */
export interface Way {
  readonly forwarding?: ForwardingSettings
  readonly canary?: CompiledCanary
}

/** All that a route is made of. */
export interface RouteParts extends Way {
  readonly entry: PathEntry
  /** As the rule has it; empty where it has none. */
  readonly host: string
  readonly annotations: Annotations
  readonly guard: Guard
  readonly backend: BackendReading
}

/** `namespace/name` of the Service that an entry leads to; `undefined` for resource backends. */
export function serviceKeyOf({ ingress, backend }: PathEntry): string | undefined {
  const name = backend.service?.name
  return name === undefined ? undefined : objectKey({ namespace: ingress.metadata.namespace, name })
}

/** @param removeHeaders Sorted. */
export function buildRoute(parts: RouteParts, removeHeaders: readonly string[]): Route {
  const { entry, host, annotations } = parts
  const { ingress, path } = entry
  const action = actionOf(parts)
  const accessControl = accessControlOf(annotations)
  return {
    id: entry.id,
    ingress: { namespace: ingress.metadata.namespace, name: ingress.metadata.name },
    service: entry.backend.service?.name ?? '',
    pathType: entry.pathType,
    path,
    action,
    ...(redirectsToHttps(ingress, host, annotations.tls, { path, action }) && { sslRedirect: true as const }),
    ...(annotations.tls.hsts !== undefined && { hsts: annotations.tls.hsts }),
    ...(annotations.tls.clientCertificate && { clientCertificate: annotations.tls.clientCertificate.mode }),
    ...(accessControl && { accessControl }),
    allowEncodedSlash: annotations.allowEncodedSlash,
    allowDoubleSlash: annotations.allowDoubleSlash,
    ...(annotations.accessLog !== undefined && { accessLog: annotations.accessLog }),
    removeHeaders,
  }
}

/** Tells the Ingress that a backend leads nowhere. */
export function reportBackend(
  { ingress, place }: PathEntry,
  backend: BackendReading,
  diagnostics: Diagnostics,
): void {
  if (backend.ok) return
  const { reason, message, remedy } = backend
  const path = place === 'spec.defaultBackend' ? place : `${place}.backend`
  diagnostics.report(ingress, {
    severity: 'error',
    reason,
    path,
    message: `${message}; the route answers 503`,
    remedy,
  })
}

/** A guard that is closed is told before a backend that is: it is the graver. */
function actionOf({ guard, backend, forwarding, canary }: RouteParts): RouteAction {
  if (guard.kind === 'closed') return { kind: 'closed', reason: guard.reason, message: guard.message }
  if (!backend.ok)
    return { kind: 'closed', reason: backend.reason, message: `The backend ${backend.message}.` }
  const policies = guard.kind === 'guarded' ? guard.policies : []
  return {
    kind: 'forward',
    upstream: backend.upstream.id,
    policies,
    ...(forwarding && { forwarding }),
    ...(canary && { canary: canary.canary }),
  }
}

function accessControlOf({ allowGroups, denyGroups }: Annotations): AccessControl | undefined {
  if (allowGroups !== undefined) return { allowGroups }
  return denyGroups === undefined ? undefined : { denyGroups }
}
