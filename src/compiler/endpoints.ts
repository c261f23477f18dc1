import { isIPv4, isIPv6 } from 'node:net'
import type { EndpointSlice } from '../api/endpoint-slice.ts'
import type { Service } from '../api/service.ts'
import type { Endpoint } from '../table/routing-table.ts'
import type { Diagnostics } from './diagnostics.ts'
import { isDnsName } from './host.ts'
import { compareText } from './order.ts'
import type { ServicePort } from './service-port.ts'

type SliceEndpoint = EndpointSlice['endpoints'][number]

/**
 * The endpoints behind a Service port: from every slice, the slice port of the same name, ready endpoints, or where
 * there is none at all those that still serve while terminating. An endpoint's addresses are interchangeable: the
 * first is taken. Sorted, each once.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions
 */
export function findEndpoints(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  diagnostics: Diagnostics,
): Endpoint[] {
  const ready = new Map<string, Endpoint>()
  const draining = new Map<string, Endpoint>()
  for (const slice of slices) {
    for (const number of slicePorts(slice, port)) {
      for (const endpoint of slice.endpoints) {
        const address = readAddress(slice, endpoint, diagnostics)
        if (address === undefined) continue
        const list = pick(endpoint, service, ready, draining)
        list?.set(`${address} ${number}`, { address, port: number })
      }
    }
  }
  const chosen = ready.size > 0 ? ready : draining
  return [...chosen.values()].sort((a, b) => compareText(a.address, b.address) || a.port - b.port)
}

function slicePorts(slice: EndpointSlice, servicePort: ServicePort): number[] {
  return slice.ports
    .filter(({ name, protocol }) => (name ?? '') === servicePort.name && (protocol ?? 'TCP') === 'TCP')
    .map(({ port }) => port ?? servicePort.port)
    .filter((port) => port >= 1 && port <= 65_535)
}

function pick<T>({ conditions }: SliceEndpoint, service: Service, ready: T, draining: T): T | undefined {
  if (service.spec.publishNotReadyAddresses) return ready
  const isReady = conditions?.ready ?? true
  if (isReady) return ready
  return conditions?.serving === true && conditions.terminating === true ? draining : undefined
}

function readAddress(
  slice: EndpointSlice,
  { addresses }: SliceEndpoint,
  diagnostics: Diagnostics,
): string | undefined {
  const address = (addresses[0] ?? '').toLowerCase()
  if (isOfType(address, slice.addressType)) return address
  diagnostics.report(slice, {
    severity: 'warning',
    reason: 'InvalidEndpoint',
    path: 'endpoints',
    message: `has the address ${JSON.stringify(address)}, which is not ${slice.addressType}; it is left out`,
    remedy: 'Correct the address or addressType.',
  })
  return undefined
}

function isOfType(address: string, type: EndpointSlice['addressType']): boolean {
  if (type === 'IPv4') return isIPv4(address)
  if (type === 'IPv6') return isIPv6(address)
  return isDnsName(address)
}
