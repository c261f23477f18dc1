import { AnnotationReader, type AnnotationProblem } from './annotation-reader.ts'
import { foreignProtection } from './foreign-protection.ts'
import { readTraffic, TRAFFIC_ANNOTATIONS, type TrafficAnnotations } from './traffic-annotations.ts'
import { readTls, TLS_ANNOTATIONS, type TlsAnnotations } from './tls-annotations.ts'
import {
  FORWARDING_ANNOTATIONS,
  readForwarding,
  readUpstream,
  UPSTREAM_ANNOTATIONS,
  type ForwardingAnnotations,
  type UpstreamAnnotations,
} from './upstream-annotations.ts'

/** The closed set. Any other `ostiary.dev/` annotation closes what it stands on: a typo must not open a route. */
export const INGRESS_ANNOTATIONS = [
  'plugins',
  'public',
  'allow-groups',
  'deny-groups',
  'allow-encoded-slash',
  'allow-double-slash',
  'access-log',
  ...TRAFFIC_ANNOTATIONS,
  ...TLS_ANNOTATIONS,
  ...FORWARDING_ANNOTATIONS,
] as const

/** What a Service may carry: a floor of plugins, what its endpoints are, and how requests get there. */
export const SERVICE_ANNOTATIONS = ['plugins', ...UPSTREAM_ANNOTATIONS, ...FORWARDING_ANNOTATIONS] as const

/** The annotations of an Ingress or Service, read. */
export interface Annotations {
  /** As written, trimmed: `name` or `namespace/name`. Absent: the annotation is not there. Never empty. */
  readonly plugins?: readonly string[]
  readonly public: boolean
  readonly allowGroups?: readonly string[]
  readonly denyGroups?: readonly string[]
  readonly allowEncodedSlash: boolean
  readonly allowDoubleSlash: boolean
  /** Absent: as the installation has it. */
  readonly accessLog?: boolean
  /** Of an Ingress; absent where none is set. */
  readonly traffic?: TrafficAnnotations
  readonly tls: TlsAnnotations
  readonly forwarding?: ForwardingAnnotations
  /** Of a Service. */
  readonly upstream?: UpstreamAnnotations
  /** Annotations of other controllers that meant protection, and for which no annotation of ours stands in. */
  readonly foreignProtection: readonly string[]
  /** Each closes the object's routes. */
  readonly problems: readonly AnnotationProblem[]
}

/**
 * Reads the annotations of an Ingress or a Service. Total: what cannot be read becomes a problem.
 *
 * @param kind Decides which annotations are known.
 */
export function parseAnnotations(
  kind: 'Ingress' | 'Service',
  annotations: Readonly<Record<string, string>>,
): Annotations {
  const ofIngress = { kind: 'Ingress', known: INGRESS_ANNOTATIONS }
  const ofService = { kind: 'Service', known: SERVICE_ANNOTATIONS }
  const [own, other] = kind === 'Ingress' ? [ofIngress, ofService] : [ofService, ofIngress]
  const reader = new AnnotationReader(kind, own.known, annotations, other)
  const access = readAccess(reader)
  const forwarding = readForwarding(reader)
  const accessLog = reader.boolean('access-log')
  const upstream = kind === 'Service' ? readUpstream(reader) : undefined
  const traffic = kind === 'Ingress' ? readTraffic(reader) : undefined
  const tls = readTls(reader)
  return {
    ...access,
    allowEncodedSlash: reader.boolean('allow-encoded-slash') ?? false,
    allowDoubleSlash: reader.boolean('allow-double-slash') ?? false,
    ...(accessLog !== undefined && { accessLog }),
    ...(traffic && { traffic }),
    tls,
    ...(forwarding && { forwarding }),
    ...(upstream && { upstream }),
    foreignProtection: foreignProtection(annotations, { traffic, tls }),
    problems: reader.problems,
  }
}

/** Who may pass. */
function readAccess(
  reader: AnnotationReader,
): Pick<Annotations, 'plugins' | 'public' | 'allowGroups' | 'denyGroups'> {
  const plugins = reader.pluginList('plugins')
  const isPublic = reader.boolean('public') ?? false
  const allowGroups = reader.list('allow-groups')
  const denyGroups = reader.list('deny-groups')
  checkPairs(reader, isPublic)
  return {
    ...(plugins && { plugins }),
    public: isPublic,
    ...(allowGroups && { allowGroups }),
    ...(denyGroups && { denyGroups }),
  }
}

/** What contradicts itself. */
function checkPairs(reader: AnnotationReader, isPublic: boolean): void {
  if (isPublic && reader.text('plugins') !== undefined) {
    reader.report('public', 'PublicAndPlugins', 'stands beside ostiary.dev/plugins; remove one of the two')
  }
  if (reader.text('allow-groups') !== undefined && reader.text('deny-groups') !== undefined) {
    reader.report(
      'deny-groups',
      'InvalidAnnotation',
      'stands beside ostiary.dev/allow-groups; remove one of the two',
    )
  }
}
