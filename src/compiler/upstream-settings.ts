import { ANNOTATION_PREFIX } from '../api/annotation-reader.ts'
import { objectKey } from '../api/object.ts'
import { SECRET_LABEL } from '../api/secret.ts'
import type { Service } from '../api/service.ts'
import type { UpstreamAnnotations } from '../api/upstream-annotations.ts'
import type { ClosedReason } from '../table/reasons.ts'
import type { UpstreamSettings, UpstreamTls } from '../table/upstream-settings.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { HostInventory } from './inventory.ts'
import { readCertificates } from './pem.ts'
import { loadCertificate } from './tls.ts'

const DEFAULT_CA_KEY = 'ca.crt'

/** Requests that wait for a free connection where nothing is said of it. */
const DEFAULT_PENDING_REQUESTS = 100

/** What the annotations of a Service make of its upstreams, or why its routes are closed. */
export type SettingsReading =
  | {
      readonly ok: true
      /** Absent: nothing differs from the defaults. */
      readonly settings?: UpstreamSettings
      readonly secrets: readonly (readonly [id: string, value: string])[]
    }
  | SettingsFailure

/** `message` is about the Service. */
interface SettingsFailure {
  readonly ok: false
  readonly reason: ClosedReason
  readonly message: string
  readonly remedy: string
}

/**
 * Compiles how the endpoints of a Service are reached. Upstream TLS is verified against the system's authorities and
 * the Service's own name, `<service>.<namespace>.svc`, where the annotations name no others.
 *
 * @param defaultServerName What an upstream certificate must name.
 */
export function compileUpstreamSettings(
  service: Service,
  annotations: UpstreamAnnotations | undefined,
  defaultServerName: string,
  { inventory, diagnostics }: { readonly inventory: HostInventory; readonly diagnostics: Diagnostics },
): SettingsReading {
  if (annotations === undefined) return { ok: true, secrets: [] }
  const { protocol = 'HTTP', connectTimeoutMs, maxConnections, maxPendingRequests } = annotations
  const tls = new TlsReader(service, annotations, inventory)
  const compiled = protocol === 'HTTPS' || protocol === 'GRPCS' ? tls.read(defaultServerName) : undefined
  if (tls.failure !== undefined) return tls.failure
  if (compiled?.insecureSkipVerify === true) warnInsecure(service, diagnostics)
  const settings: UpstreamSettings = {
    protocol,
    ...(compiled && { tls: compiled }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
    ...(maxConnections !== undefined && {
      maxConnections,
      maxPendingRequests: maxPendingRequests ?? DEFAULT_PENDING_REQUESTS,
    }),
  }
  const isDefault = Object.keys(settings).length === 1 && protocol === 'HTTP'
  return { ok: true, ...(!isDefault && { settings }), secrets: tls.secrets }
}

class TlsReader {
  readonly secrets: (readonly [id: string, value: string])[] = []
  failure: SettingsFailure | undefined
  readonly #service: Service
  readonly #annotations: UpstreamAnnotations
  readonly #inventory: HostInventory

  constructor(service: Service, annotations: UpstreamAnnotations, inventory: HostInventory) {
    this.#service = service
    this.#annotations = annotations
    this.#inventory = inventory
  }

  read(defaultServerName: string): UpstreamTls {
    const { serverName = defaultServerName, insecureSkipTlsVerify = false } = this.#annotations
    const certificateAuthorities = this.#authorities()
    const clientCertificate = this.#clientCertificate()
    return {
      serverName,
      ...(certificateAuthorities !== undefined && { certificateAuthorities }),
      ...(clientCertificate !== undefined && { clientCertificate }),
      insecureSkipVerify: insecureSkipTlsVerify,
    }
  }

  /** Certificates only: a private key beside them in the Secret must not get into the table. */
  #authorities(): string | undefined {
    const { caSecret } = this.#annotations
    if (caSecret === undefined) return undefined
    const [name = '', key = DEFAULT_CA_KEY] = caSecret.split('/')
    const { namespace } = this.#service.metadata
    const secret = this.#inventory.secrets.get(objectKey({ namespace, name }))
    if (secret?.metadata.labels[SECRET_LABEL] !== 'true') {
      return this.#fail(
        'SecretNotFound',
        'upstream-ca-secret',
        `names Secret ${namespace}/${name}, which does not exist or lacks the label ${SECRET_LABEL}: "true"`,
        `Create it with that label, or, where it exists: kubectl label secret -n ${namespace} ${name} ${SECRET_LABEL}=true`,
      )
    }
    const pem = Object.hasOwn(secret.values, key) ? secret.values[key]?.reveal() : undefined
    const certificates = readCertificates(pem ?? '')
    if (certificates !== undefined) return certificates.map((each) => each.toString()).join('')
    return this.#fail(
      'InvalidAnnotation',
      'upstream-ca-secret',
      `names Secret ${namespace}/${name}, which has no PEM certificates under the key ${key}`,
      `Put the CA certificates there as PEM, or name another key as ${name}/<key>.`,
    )
  }

  #clientCertificate(): UpstreamTls['clientCertificate'] {
    const { clientCertificateSecret: name } = this.#annotations
    if (name === undefined) return undefined
    const { namespace } = this.#service.metadata
    const key = objectKey({ namespace, name })
    const secret = this.#inventory.secrets.get(key)
    const annotation = 'upstream-client-certificate-secret'
    if (secret?.type !== 'kubernetes.io/tls') {
      const message = `names Secret ${key}, but there is no such Secret of type kubernetes.io/tls`
      return this.#fail('SecretNotFound', annotation, message, 'Create it with: kubectl create secret tls.')
    }
    const loading = loadCertificate(secret, key)
    if (!('leaf' in loading)) {
      const message = `names Secret ${key}, but ${loading.message}`
      return this.#fail('InvalidAnnotation', annotation, message, loading.remedy)
    }
    const { certificateChainPem, privateKey } = loading.certificate
    this.secrets.push([privateKey, loading.privateKeyPem])
    return { certificateChainPem, privateKey }
  }

  #fail(reason: ClosedReason, annotation: string, message: string, remedy: string): undefined {
    const { namespace, name } = this.#service.metadata
    this.failure ??= {
      ok: false,
      reason,
      message: `leads to Service ${namespace}/${name}, whose ${ANNOTATION_PREFIX}${annotation} ${message}`,
      remedy,
    }
    return undefined
  }
}

function warnInsecure(service: Service, diagnostics: Diagnostics): void {
  diagnostics.report(service, {
    severity: 'warning',
    reason: 'InsecureOption',
    path: `metadata.annotations[${ANNOTATION_PREFIX}insecure-skip-upstream-tls-verify]`,
    message: 'takes any certificate of its endpoints: whoever is between them and Ostiary reads all',
    remedy: `Set ${ANNOTATION_PREFIX}upstream-ca-secret instead.`,
  })
}
