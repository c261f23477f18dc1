import type { EndpointSlice } from '../api/endpoint-slice.ts'
import type { IngressBackend } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import type { Service } from '../api/service.ts'
import type { ClosedReason } from '../table/reasons.ts'
import type { Endpoint, Upstream } from '../table/routing-table.ts'
import type { AnnotationIndex } from './annotation-index.ts'
import type { CompileMemo } from './compile-memo.ts'
import { dashboardUpstream } from './dashboard-host.ts'
import type { Diagnostics } from './diagnostics.ts'
import { findEndpoints } from './endpoints.ts'
import { isDnsName } from './host.ts'
import type { HostInventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { findServicePort, portText } from './service-port.ts'
import { compileUpstreamSettings } from './upstream-settings.ts'

/** Where a backend leads: to an upstream (perhaps without endpoints), or nowhere and why. */
export type BackendReading =
  | { readonly ok: true; readonly upstream: Upstream; readonly service: Service }
  | {
      readonly ok: false
      readonly reason: ClosedReason
      readonly message: string
      readonly remedy: string
    }

const NO_SLICES: readonly EndpointSlice[] = []

type ServiceBackend = NonNullable<IngressBackend['service']>

/** Resolves backends; each upstream is worked out once. */
export class UpstreamResolver {
  readonly #inventory: HostInventory
  readonly #options: CompileOptions
  readonly #diagnostics: Diagnostics
  readonly #memo: CompileMemo
  readonly #annotations: AnnotationIndex
  readonly #upstreams = new Map<string, Upstream>()
  readonly #secrets = new Map<string, string>()

  constructor(
    inventory: HostInventory,
    options: CompileOptions,
    annotations: AnnotationIndex,
    { diagnostics, memo }: { readonly diagnostics: Diagnostics; readonly memo: CompileMemo },
  ) {
    this.#memo = memo
    this.#inventory = inventory
    this.#options = options
    this.#annotations = annotations
    this.#diagnostics = diagnostics
  }

  /** What the settings of the upstreams so far refer to. */
  secrets(): readonly (readonly [id: string, value: string])[] {
    return [...this.#secrets]
  }

  /** @param namespace The Ingress's: backends are of the same one. */
  resolve(backend: IngressBackend, namespace: string): BackendReading {
    if (backend.loopbackPort !== undefined) return { ok: true, ...dashboardUpstream(backend.loopbackPort) }
    if (backend.service !== undefined && backend.resource !== undefined) {
      return refuse('IngressInvalid', 'has both service and resource', 'Name one of the two.')
    }
    if (backend.resource !== undefined) {
      const { kind, name } = backend.resource
      return refuse('BackendUnsupported', `names the resource ${kind} ${name}`, 'Name a Service.')
    }
    if (backend.service === undefined) {
      return refuse('IngressInvalid', 'names neither service nor resource', 'Name a Service.')
    }
    const key = objectKey({ namespace, name: backend.service.name })
    const service = this.#inventory.services.get(key)
    if (service === undefined) {
      return refuse('ServiceNotFound', `names Service ${key}, which does not exist`, 'Create the Service.')
    }
    const { name, number } = backend.service.port
    if ((name === undefined) === (number === undefined)) {
      return refuse(
        'IngressInvalid',
        `needs either the name or the number of a port of ${key}`,
        'Name the port.',
      )
    }
    if (service.spec.type === 'ExternalName') return this.#external(service, backend.service, key)
    return this.#internal(service, backend.service, key)
  }

  #internal(service: Service, backend: ServiceBackend, key: string): BackendReading {
    const port = findServicePort(service, backend.port)
    if (port === undefined) return portNotFound(service, backend, key)
    const id = `${key}/${port.port}`
    const known = this.#upstreams.get(id)
    if (known !== undefined) return { ok: true, upstream: known, service }
    const slices = this.#inventory.endpointSlices.get(key) ?? NO_SLICES
    // Many hosts may lead to one Service, and it may have many endpoints.
    const endpoints = this.#memo.endpoints.run(
      id,
      [service, slices],
      { sources: {}, diagnostics: this.#diagnostics },
      (_, found) => findEndpoints(service, port, slices, found),
    )
    if (endpoints.length === 0) this.#reportEmpty(service, port.port)
    const { name, namespace } = service.metadata
    return this.#remember(service, { id, endpoints }, `${name}.${namespace}.svc`)
  }

  /** An ExternalName Service needs no ports of its own: the backend's number does. */
  #external(service: Service, backend: ServiceBackend, key: string): BackendReading {
    const host = (service.spec.externalName ?? '').toLowerCase().replace(/\.$/, '')
    if (!this.#options.allowExternalName) {
      const message = `leads to Service ${key} of type ExternalName, which could name any address Ostiary can reach`
      return refuse(
        'ExternalNameRefused',
        message,
        'Use a Service with a selector, or start Ostiary with --allow-external-name.',
      )
    }
    const port = findServicePort(service, backend.port)?.port ?? backend.port.number
    if (port === undefined || port < 1 || port > 65_535) return portNotFound(service, backend, key)
    if (!isDnsName(host)) {
      return refuse(
        'BackendUnsupported',
        `leads to Service ${key}, whose externalName is no DNS name`,
        'Correct spec.externalName.',
      )
    }
    const endpoint: Endpoint = { address: host, port }
    return this.#remember(service, { id: `${key}/${port}`, endpoints: [endpoint] }, host)
  }

  #remember(service: Service, bare: Upstream, serverName: string): BackendReading {
    const reading = compileUpstreamSettings(service, this.#annotations.of(service).upstream, serverName, {
      inventory: this.#inventory,
      diagnostics: this.#diagnostics,
    })
    if (!reading.ok) return reading
    const { settings, secrets } = reading
    const upstream = settings === undefined ? bare : { ...bare, settings }
    this.#upstreams.set(upstream.id, upstream)
    for (const [id, value] of secrets) this.#secrets.set(id, value)
    return { ok: true, upstream, service }
  }

  #reportEmpty(service: Service, port: number): void {
    this.#diagnostics.report(service, {
      severity: 'warning',
      reason: 'NoEndpoints',
      path: 'spec',
      message: `has no ready endpoint on port ${port}; its routes answer 503`,
      remedy: `Look at: kubectl get endpointslices -n ${service.metadata.namespace} -l kubernetes.io/service-name=${service.metadata.name}`,
    })
  }
}

function portNotFound(service: Service, backend: ServiceBackend, key: string): BackendReading {
  const ports = service.spec.ports.filter(({ protocol }) => protocol === 'TCP')
  const known = ports.map(({ name, port }) => (name === '' ? String(port) : `${port} "${name}"`))
  return refuse(
    'PortNotFound',
    `names port ${portText(backend.port)}, which is not among the TCP ports of Service ${key}`,
    `Name one of its ports: ${known.join(', ') || 'it has none'}.`,
  )
}

function refuse(reason: ClosedReason, message: string, remedy: string): BackendReading {
  return { ok: false, reason, message, remedy }
}
