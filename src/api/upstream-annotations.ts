import type { AnnotationReader } from './annotation-reader.ts'

/** How one request is treated on its way: on a Service, and on an Ingress, which wins name by name. */
export const FORWARDING_ANNOTATIONS = [
  'read-timeout',
  'send-timeout',
  'request-timeout',
  'retries',
  'retry-on',
  'load-balancing',
  'session-affinity',
  'forwarded-header',
] as const

/** What the endpoints are and how they are reached: on a Service alone. */
export const UPSTREAM_ANNOTATIONS = [
  'backend-protocol',
  'upstream-server-name',
  'upstream-ca-secret',
  'upstream-client-certificate-secret',
  'insecure-skip-upstream-tls-verify',
  'connect-timeout',
  'max-connections',
  'max-pending-requests',
  'canary-service',
  'canary-weight',
  'canary-header',
  'canary-header-value',
] as const

const PROTOCOLS = ['HTTP', 'HTTPS', 'H2C', 'GRPC', 'GRPCS'] as const
const TLS_PROTOCOLS: readonly string[] = ['HTTPS', 'GRPCS']
const RETRY_CONDITIONS = ['connect-failure', 'reset', '502', '503', '504'] as const

type Protocol = (typeof PROTOCOLS)[number]
type RetryCondition = (typeof RETRY_CONDITIONS)[number]

/** The forwarding annotations of one object; absent members are not there. */
export interface ForwardingAnnotations {
  readonly readTimeoutMs?: number
  readonly sendTimeoutMs?: number
  readonly requestTimeoutMs?: number
  readonly retries?: { readonly attempts: number; readonly on: readonly RetryCondition[] }
  readonly loadBalancing?: 'round-robin' | 'least-requests'
  readonly sessionAffinity?: 'none' | 'cookie'
  readonly forwardedHeader?: boolean
}

/** The upstream annotations of a Service; absent members are not there. */
export interface UpstreamAnnotations {
  readonly protocol?: Protocol
  readonly serverName?: string
  /** Name of a Secret of the same namespace, perhaps with `/key`. */
  readonly caSecret?: string
  readonly clientCertificateSecret?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly connectTimeoutMs?: number
  readonly maxConnections?: number
  readonly maxPendingRequests?: number
  readonly canary?: CanaryAnnotations
}

export interface CanaryAnnotations {
  readonly service: string
  /** Percent. */
  readonly weight: number
  /** In lower case. */
  readonly header?: string
  readonly headerValue?: string
}

const LONGEST_TIMEOUT_MS = 24 * 3_600_000
const MAXIMUM_RETRIES = 10
const MAXIMUM_CONNECTIONS = 100_000
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/
const SECRET_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const SECRET_WITH_KEY = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?(\/[-._a-zA-Z0-9]{1,253})?$/
const HEADER_NAME = /^[a-z0-9][-a-z0-9]{0,63}$/
const HEADER_VALUE = /^[!-~]([ -~]{0,254}[!-~])?$/

/** Reads the forwarding annotations; `undefined` where there is none. */
export function readForwarding(reader: AnnotationReader): ForwardingAnnotations | undefined {
  const settings = compact({
    readTimeoutMs: reader.durationMs('read-timeout', 1, LONGEST_TIMEOUT_MS),
    sendTimeoutMs: reader.durationMs('send-timeout', 1, LONGEST_TIMEOUT_MS),
    requestTimeoutMs: reader.durationMs('request-timeout', 1, LONGEST_TIMEOUT_MS),
    retries: readRetries(reader),
    loadBalancing: reader.choice('load-balancing', ['round-robin', 'least-requests']),
    sessionAffinity: reader.choice('session-affinity', ['none', 'cookie']),
    forwardedHeader: reader.boolean('forwarded-header'),
  })
  return Object.keys(settings).length === 0 ? undefined : settings
}

function readRetries(reader: AnnotationReader): ForwardingAnnotations['retries'] {
  const attempts = reader.wholeNumber('retries', 0, MAXIMUM_RETRIES)
  const on = reader.list('retry-on')
  const unknown = on?.find((each) => !RETRY_CONDITIONS.some((condition) => condition === each))
  if (unknown !== undefined) {
    return reader.invalid('retry-on', `must list some of ${RETRY_CONDITIONS.join(', ')}`)
  }
  if (on !== undefined && reader.text('retries') === undefined) {
    return reader.invalid('retry-on', 'stands without ostiary.dev/retries; say how many')
  }
  if (attempts === undefined) return undefined
  const conditions = on ?? ['connect-failure', 'reset']
  return { attempts, on: RETRY_CONDITIONS.filter((each) => conditions.includes(each)) }
}

/** Reads the upstream annotations; `undefined` where there is none. */
export function readUpstream(reader: AnnotationReader): UpstreamAnnotations | undefined {
  const protocol = reader.choice('backend-protocol', PROTOCOLS)
  checkTlsNames(reader, protocol)
  const maxConnections = reader.wholeNumber('max-connections', 1, MAXIMUM_CONNECTIONS)
  if (reader.text('max-pending-requests') !== undefined && reader.text('max-connections') === undefined) {
    reader.invalid('max-pending-requests', 'stands without ostiary.dev/max-connections: nothing ever waits')
  }
  const settings = compact({
    protocol,
    serverName: matching(reader, 'upstream-server-name', DNS_NAME, 'must be a DNS name in lower case'),
    caSecret: matching(
      reader,
      'upstream-ca-secret',
      SECRET_WITH_KEY,
      'must be the name of a Secret, or name/key',
    ),
    clientCertificateSecret: matching(
      reader,
      'upstream-client-certificate-secret',
      SECRET_NAME,
      'must be the name of a Secret of type kubernetes.io/tls',
    ),
    insecureSkipTlsVerify: reader.boolean('insecure-skip-upstream-tls-verify'),
    connectTimeoutMs: reader.durationMs('connect-timeout', 1, 3_600_000),
    maxConnections,
    maxPendingRequests: reader.wholeNumber('max-pending-requests', 0, MAXIMUM_CONNECTIONS),
    canary: readCanary(reader),
  })
  return Object.keys(settings).length === 0 ? undefined : settings
}

/** A name that is checked by nothing would look like protection. */
function checkTlsNames(reader: AnnotationReader, protocol: Protocol | undefined): void {
  if (protocol !== undefined && TLS_PROTOCOLS.includes(protocol)) return
  for (const name of [
    'upstream-server-name',
    'upstream-ca-secret',
    'upstream-client-certificate-secret',
    'insecure-skip-upstream-tls-verify',
  ]) {
    if (reader.text(name) !== undefined) {
      reader.invalid(name, 'needs ostiary.dev/backend-protocol: HTTPS or GRPCS beside it')
    }
  }
}

function readCanary(reader: AnnotationReader): CanaryAnnotations | undefined {
  const service = matching(reader, 'canary-service', SERVICE_NAME, 'must be the name of a Service')
  const weight = reader.wholeNumber('canary-weight', 0, 100)
  const header = matching(reader, 'canary-header', HEADER_NAME, 'must be the name of a header', lowerCase)
  const headerValue = matching(reader, 'canary-header-value', HEADER_VALUE, 'must be visible ASCII')
  for (const name of ['canary-weight', 'canary-header', 'canary-header-value']) {
    if (reader.text(name) !== undefined && reader.text('canary-service') === undefined) {
      reader.invalid(name, 'stands without ostiary.dev/canary-service')
    }
  }
  if (headerValue !== undefined && header === undefined) {
    reader.invalid('canary-header-value', 'stands without ostiary.dev/canary-header')
  }
  if (service === undefined) return undefined
  return {
    service,
    weight: weight ?? 0,
    ...(header !== undefined && { header }),
    ...(headerValue !== undefined && { headerValue }),
  }
}

function matching(
  reader: AnnotationReader,
  name: string,
  pattern: RegExp,
  message: string,
  normal: (text: string) => string = same,
): string | undefined {
  const text = reader.text(name)
  if (text === undefined) return undefined
  return pattern.test(normal(text)) ? normal(text) : reader.invalid(name, message)
}

function lowerCase(text: string): string {
  return text.toLowerCase()
}

function same(text: string): string {
  return text
}

type Compact<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the members that are `undefined`. */
function compact<T extends object>(object: T): Compact<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Compact<T>
}
