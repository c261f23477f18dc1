import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import type { IngressBackend } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import type { Service } from '../api/service.ts'
import type { CanaryAnnotations, ForwardingAnnotations } from '../api/upstream-annotations.ts'
import type { Upstream } from '../table/routing-table.ts'
import type { Canary } from '../table/upstream-settings.ts'
import type { AnnotationIndex } from './annotation-index.ts'
import type { Diagnostics } from './diagnostics.ts'
import { compileForwarding } from './forwarding.ts'
import type { UpstreamResolver } from './upstream.ts'

/** A canary and the upstream that it leads to. */
export interface CompiledCanary {
  readonly canary: Canary
  readonly upstream: Upstream
}

/** A backend whose Service may have a canary. */
export interface CanaryInput {
  readonly service: Service | undefined
  readonly backend: IngressBackend
  /** What the Ingress says. */
  readonly forwarding: ForwardingAnnotations | undefined
}

/** `namespace/name` of the Service that gets a part of another's requests. */
export function canaryKeyOf(service: Service | undefined, annotations: AnnotationIndex): string | undefined {
  const canary = service && annotations.of(service).upstream?.canary
  return canary && objectKey({ namespace: service.metadata.namespace, name: canary.service })
}

/**
 * Compiles `canary-service`: on the port that the Ingress names, of the other Service. One that leads nowhere gets
 * nothing, and all requests go where they would without it.
 */
export function compileCanary(
  { service, backend, forwarding }: CanaryInput,
  annotations: AnnotationIndex,
  resolver: UpstreamResolver,
  diagnostics: Diagnostics,
): CompiledCanary | undefined {
  const asked = service && annotations.of(service).upstream?.canary
  if (service === undefined || asked === undefined || backend.service === undefined) return undefined
  const { name, namespace } = service.metadata
  const { port } = backend.service
  const reading =
    asked.service === name
      ? { ok: false as const, message: 'names its own Service', remedy: 'Name another Service.' }
      : resolver.resolve({ service: { name: asked.service, port } }, namespace)
  if (!reading.ok) {
    const { message, remedy } = reading
    reportCanary(service, `${message}; it gets no requests`, remedy, diagnostics)
    return undefined
  }
  const { upstream } = reading
  const own = annotations.of(reading.service).forwarding
  const settings = compileForwarding(forwarding, own, upstream.id)
  const header = headerOf(asked)
  const canary: Canary = {
    upstream: upstream.id,
    weight: asked.weight,
    ...(settings && { forwarding: settings }),
    ...(header && { header }),
  }
  return { canary, upstream }
}

function headerOf({ header, headerValue }: CanaryAnnotations): Canary['header'] {
  if (header === undefined) return undefined
  return { name: header, ...(headerValue !== undefined && { value: headerValue }) }
}

function reportCanary(service: Service, message: string, remedy: string, diagnostics: Diagnostics): void {
  diagnostics.report(service, {
    severity: 'warning',
    reason: 'CanaryUnavailable',
    path: `metadata.annotations[${ANNOTATION_PREFIX}canary-service]`,
    message,
    remedy,
  })
}
