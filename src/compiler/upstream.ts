import type { IngressBackend } from '../api/ingress.ts'
import { objectKey } from '../api/object.ts'
import type { Service } from '../api/service.ts'
import type { ClosedReason } from '../table/reasons.ts'
import type { Endpoint, Upstream } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import { findEndpoints } from './endpoints.ts'
import { isDnsName } from './host.ts'
import type { Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { findServicePort, portText } from './service-port.ts'

/** Where a backend leads: to an upstream (perhaps without endpoints), or nowhere and why. */
export type BackendReading =
  | { readonly ok: true; readonly upstream: Upstream }
  | {
      readonly ok: false
      readonly reason: ClosedReason
      readonly message: string
      readonly remedy: string
    }

type ServiceBackend = NonNullable<IngressBackend['service']>

/** Resolves backends; each upstream is worked out once. */
export class UpstreamResolver {
  readonly #inventory: Inventory
  readonly #options: CompileOptions
  readonly #diagnostics: Diagnostics
  readonly #upstreams = new Map<string, Upstream>()

  constructor(inventory: Inventory, options: CompileOptions, diagnostics: Diagnostics) {
    this.#inventory = inventory
    this.#options = options
    this.#diagnostics = diagnostics
  }

  /** @param namespace The Ingress's: backends are of the same one. */
  resolve(backend: IngressBackend, namespace: string): BackendReading {
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
    if (known !== undefined) return { ok: true, upstream: known }
    const slices = this.#inventory.endpointSlices.get(key) ?? []
    const endpoints = findEndpoints(service, port, slices, this.#diagnostics)
    if (endpoints.length === 0) this.#reportEmpty(service, port.port)
    return { ok: true, upstream: this.#remember({ id, endpoints }) }
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
    return { ok: true, upstream: this.#remember({ id: `${key}/${port}`, endpoints: [endpoint] }) }
  }

  #remember(upstream: Upstream): Upstream {
    this.#upstreams.set(upstream.id, upstream)
    return upstream
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
