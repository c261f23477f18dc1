import { createPrivateKey, type X509Certificate } from 'node:crypto'
import { objectKey } from '../api/object.ts'
import type { Ingress } from '../api/ingress.ts'
import type { Secret } from '../api/secret.ts'
import type { Certificate, ServerName } from '../table/routing-table.ts'
import type { ServedCertificate } from '../table/served-certificate.ts'
import type { CompileMemo } from './compile-memo.ts'
import type { Diagnostics, Finding, Located } from './diagnostics.ts'
import type { HostOwners } from './host-ownership.ts'
import { hostProblem } from './host.ts'
import type { Inventory } from './inventory.ts'
import type { CompileOptions } from './options.ts'
import { compareText } from './order.ts'
import { readCertificates } from './pem.ts'

/** Certificates by server name, with the private keys apart. */
export interface CompiledTls {
  readonly certificates: readonly Certificate[]
  readonly serverNames: readonly ServerName[]
  readonly secrets: readonly (readonly [id: string, value: string])[]
  readonly served: readonly ServedCertificate[]
}

interface LoadedCertificate {
  readonly certificate: Certificate
  readonly leaf: X509Certificate
  readonly privateKeyPem: string
}

/** A Secret that is no certificate: what is wrong with it. */
export type Loading = LoadedCertificate | Pick<Finding, 'reason' | 'message' | 'remedy'>

/**
 * Compiles the TLS sections of the Ingresses and the default certificate. A certificate that is missing or broken
 * leaves its names to the default one; of two for a name, that of the older Ingress is served.
 *
 * @param ingresses Oldest first.
 */
export function compileTls(
  ingresses: readonly Ingress[],
  owners: HostOwners,
  inventory: Inventory,
  options: CompileOptions,
  { memo, diagnostics }: { readonly memo: CompileMemo; readonly diagnostics: Diagnostics },
): CompiledTls {
  const builder = new TlsBuilder(inventory, memo, diagnostics)
  if (options.defaultCertificate !== undefined) builder.addDefault(options.defaultCertificate)
  for (const ingress of ingresses) {
    for (const [index, section] of ingress.spec.tls.entries()) {
      const place = `spec.tls[${index}]`
      const key = section.secretName && objectKey({ ...ingress.metadata, name: section.secretName })
      const hosts = hostsOf(ingress, section.hosts).filter((host) => {
        const problem = hostProblem(host)
        if (problem !== undefined) reportHost(ingress, `${place}.hosts`, host, problem, diagnostics)
        return problem === undefined && owners.admits(ingress, host, `${place}.hosts`, diagnostics)
      })
      if (key) builder.add(ingress, place, key, hosts)
    }
  }
  return builder.result()
}

type Use = ServedCertificate['uses'][number]

function useOf({ kind, metadata: { namespace, name }, origin }: Ingress, path: string): Use {
  const place = origin && { origin: { file: origin.file, line: origin.line } }
  return { object: { kind, namespace, name }, path, ...place }
}

/** Collects server names; the first to ask for a name has it. */
class TlsBuilder {
  readonly #inventory: Inventory
  readonly #memo: CompileMemo
  readonly #diagnostics: Diagnostics
  readonly #loaded = new Map<string, Loading>()
  readonly #used = new Map<string, LoadedCertificate>()
  /** By Secret, then by place. */
  readonly #uses = new Map<string, Map<string, Use>>()
  readonly #names = new Map<string, string>()

  constructor(inventory: Inventory, memo: CompileMemo, diagnostics: Diagnostics) {
    this.#memo = memo
    this.#inventory = inventory
    this.#diagnostics = diagnostics
  }

  addDefault(key: string): void {
    const loading = this.#load(key)
    const [namespace = '', name = ''] = key.split('/')
    if ('leaf' in loading) {
      this.#use(key, loading, { object: { kind: 'Secret', namespace, name }, path: '' })
      this.#names.set('', key)
      return
    }
    const { reason, remedy } = loading
    const message = `is the default certificate, but ${loading.message}`
    this.#diagnostics.reportReference(
      { kind: 'Secret', namespace, name },
      { severity: 'error', reason, path: '', message, remedy },
    )
  }

  add(ingress: Ingress, place: string, key: string, hosts: readonly string[]): void {
    const loading = this.#load(key)
    if (!('leaf' in loading)) {
      const severity = loading.reason === 'CertificateNotFound' ? 'warning' : 'error'
      const { reason, remedy } = loading
      const message = `names Secret ${key}, but ${loading.message}; the default certificate is served`
      this.#report(ingress, { severity, reason, path: `${place}.secretName`, message, remedy })
      return
    }
    for (const host of hosts) {
      if (!this.#claim(ingress, place, host, key)) continue
      this.#use(key, loading, useOf(ingress, `${place}.secretName`))
      if (!this.#covers(loading.leaf, host)) this.#reportMismatch(ingress, place, host, key)
    }
  }

  #use(key: string, loading: LoadedCertificate, use: Use): void {
    this.#used.set(key, loading)
    const uses = this.#uses.get(key) ?? new Map<string, Use>()
    this.#uses.set(key, uses.set(JSON.stringify([use.object, use.path]), use))
  }

  result(): CompiledTls {
    const used = [...this.#used.values()].sort((a, b) => compareText(a.certificate.id, b.certificate.id))
    return {
      certificates: used.map(({ certificate }) => certificate),
      serverNames: [...this.#names]
        .map(([name, certificate]) => ({ name, certificate }))
        .sort((a, b) => compareText(a.name, b.name)),
      served: used.map(({ certificate: { id }, leaf }) => ({
        id,
        notBeforeMs: leaf.validFromDate.getTime(),
        notAfterMs: leaf.validToDate.getTime(),
        uses: [...(this.#uses.get(id)?.values() ?? [])],
      })),
      secrets: used.map(({ certificate, privateKeyPem }) => [certificate.privateKey, privateKeyPem] as const),
    }
  }

  #claim(ingress: Ingress, place: string, host: string, key: string): boolean {
    const holder = this.#names.get(host)
    if (holder === undefined) this.#names.set(host, key)
    if (holder === undefined || holder === key) return true
    this.#report(ingress, {
      severity: 'warning',
      reason: 'CertificateConflict',
      path: `${place}.hosts`,
      message: `names ${host}, for which an older TLS section has Secret ${holder}; that one is served`,
      remedy: 'Name one Secret for each host.',
    })
    return false
  }

  #load(key: string): Loading {
    const known = this.#loaded.get(key)
    if (known !== undefined) return known
    const secret = this.#inventory.secrets.get(key)
    const loading = secret === undefined ? NOT_FOUND : this.#loadSecret(secret, key)
    this.#loaded.set(key, loading)
    return loading
  }

  /** Reading keys and certificates takes long, and Secrets do not change. */
  #loadSecret(secret: Secret, key: string): Loading {
    const known = this.#memo.certificates.get(secret)
    if (known !== undefined) return known
    const loading = loadCertificate(secret, key)
    this.#memo.certificates.set(secret, loading)
    return loading
  }

  #covers(leaf: X509Certificate, host: string): boolean {
    const hosts = this.#memo.coverage.get(leaf) ?? new Map<string, boolean>()
    this.#memo.coverage.set(leaf, hosts)
    const covers = hosts.get(host) ?? coversHost(leaf, host)
    hosts.set(host, covers)
    return covers
  }

  #reportMismatch(ingress: Ingress, place: string, host: string, key: string): void {
    this.#report(ingress, {
      severity: 'warning',
      reason: 'CertificateNameMismatch',
      path: `${place}.hosts`,
      message: `names ${host}, which the certificate of Secret ${key} does not cover; clients will refuse it`,
      remedy: 'Have a certificate issued with that subject alternative name.',
    })
  }

  #report(object: Located, finding: Finding): void {
    this.#diagnostics.report(object, finding)
  }
}

const NOT_FOUND: Loading = {
  reason: 'CertificateNotFound',
  message: 'there is no such Secret of type kubernetes.io/tls',
  remedy: 'Create it with: kubectl create secret tls.',
}

/** @param key `namespace/name` of the Secret. */
export function loadCertificate(secret: Secret, key: string): Loading {
  if (secret.type !== 'kubernetes.io/tls') return NOT_FOUND
  const chain = readCertificates(secret.values['tls.crt']?.reveal() ?? '')
  const leaf = chain?.[0]
  if (chain === undefined || leaf === undefined)
    return invalidCertificate('its tls.crt is not PEM certificates')
  const privateKeyPem = secret.values['tls.key']?.reveal() ?? ''
  const problem = keyProblem(leaf, privateKeyPem)
  if (problem !== undefined) return invalidCertificate(problem)
  const certificateChainPem = chain.map((each) => each.toString()).join('')
  return { certificate: { id: key, certificateChainPem, privateKey: `${key}/tls.key` }, leaf, privateKeyPem }
}

/** What OpenSSL says of a key is kept out of the message: it may quote it. */
function keyProblem(leaf: X509Certificate, privateKeyPem: string): string | undefined {
  try {
    const matches = leaf.checkPrivateKey(createPrivateKey(privateKeyPem))
    return matches ? undefined : 'its tls.key is not the key of the first certificate in tls.crt'
  } catch {
    return 'its tls.key is not an unencrypted PEM private key'
  }
}

function invalidCertificate(message: string): Loading {
  return {
    reason: 'CertificateInvalid',
    message,
    remedy: 'Put the chain, leaf first, into tls.crt and its key into tls.key.',
  }
}

/** A wildcard host is covered when the names that it stands for are. */
function coversHost(leaf: X509Certificate, host: string): boolean {
  return leaf.checkHost(host.startsWith('*.') ? `x${host.slice(1)}` : host) !== undefined
}

/** Without hosts a section is for those of the rules. */
function hostsOf(ingress: Ingress, hosts: readonly string[]): string[] {
  const named = hosts.length > 0 ? hosts : ingress.spec.rules.map(({ host }) => host ?? '')
  return [...new Set(named.filter((host) => host !== ''))]
}

function reportHost(
  ingress: Ingress,
  path: string,
  host: string,
  problem: string,
  diagnostics: Diagnostics,
): void {
  const message = `${JSON.stringify(host)} ${problem}; it is left out`
  diagnostics.report(ingress, {
    severity: 'error',
    reason: 'InvalidHost',
    path,
    message,
    remedy: 'Correct the host.',
  })
}
