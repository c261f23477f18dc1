import type { IngressBackend } from '../api/ingress.ts'
import type { Service } from '../api/service.ts'

type BackendPort = NonNullable<IngressBackend['service']>['port']
export type ServicePort = Service['spec']['ports'][number]

/** How a port reads in messages. */
export function portText({ name, number }: BackendPort): string {
  return name === undefined ? String(number ?? 'none') : `"${name}"`
}

/**
 * The port of a Service that a backend names, by number (the Service's own, not the target's) or by name. Ports of
 * other protocols than TCP are not there. Both or neither of the two names no port.
 */
export function findServicePort(service: Service, { name, number }: BackendPort): ServicePort | undefined {
  if ((name === undefined) === (number === undefined)) return undefined
  const ports = service.spec.ports.filter(({ protocol }) => protocol === 'TCP')
  return ports.find((port) => (name === undefined ? port.port === number : port.name === name))
}
