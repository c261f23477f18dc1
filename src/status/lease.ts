import { microTime } from './micro-time.ts'

/**
 * A Lease as read; what is not understood is written back as it was.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
 */
export interface Lease {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly spec: Readonly<Record<string, unknown>>
}

/** Reads a raw Lease. Total. */
export function readLease(raw: unknown): Lease {
  const { metadata, spec } = mapping(raw)
  return { metadata: mapping(metadata), spec: mapping(spec) }
}

/** Who holds it; empty: nobody. */
export function holderOf({ spec }: Lease): string {
  const holder = spec['holderIdentity']
  return typeof holder === 'string' ? holder : ''
}

/** For how long its holder may stay silent, in milliseconds. */
export function durationOf({ spec }: Lease, fallbackMs: number): number {
  const seconds = spec['leaseDurationSeconds']
  return typeof seconds === 'number' && seconds > 0 && seconds <= 3600 ? seconds * 1000 : fallbackMs
}

/** Which installation competes for it: those of another wait in vain. */
const INSTALLATION = 'ostiary.dev/installation'

/** Of its last holder; empty: not said. */
export function installationOf({ metadata }: Lease): string {
  const installation = mapping(metadata['annotations'])[INSTALLATION]
  return typeof installation === 'string' ? installation : ''
}

export interface HeldBy {
  readonly identity: string
  /** In words; the same for all replicas. */
  readonly installation: string
  readonly leaseMs: number
  readonly nowMs: number
}

/** The Lease as its holder writes it: taken over from another, or renewed. */
export function heldLease(lease: Lease, { identity, installation, leaseMs, nowMs }: HeldBy): Lease {
  const isRenewal = holderOf(lease) === identity
  const transitions = lease.spec['leaseTransitions']
  const count = typeof transitions === 'number' ? transitions : 0
  const isFirst = lease.metadata['resourceVersion'] === undefined
  const annotations = { ...mapping(lease.metadata['annotations']), [INSTALLATION]: installation }
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations },
    spec: {
      ...lease.spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: isRenewal ? (lease.spec['acquireTime'] ?? microTime(nowMs)) : microTime(nowMs),
      renewTime: microTime(nowMs),
      leaseTransitions: isRenewal || isFirst ? count : count + 1,
    },
  }
}

/** The Lease without a holder, for anybody to take at once. */
export function releasedLease(
  { metadata, spec: { holderIdentity: _, ...spec } }: Lease,
  nowMs: number,
): Lease {
  return { metadata, spec: { ...spec, leaseDurationSeconds: 1, renewTime: microTime(nowMs) } }
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
