import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import type { Clock, Timers } from '../clock.ts'
import type { CompileResult } from '../compiler/options.ts'
import { DiagnosticLog } from '../reconciler/diagnostic-log.ts'
import type { Diagnostic } from '../table/diagnostic.ts'
import type { ServedCertificate } from '../table/served-certificate.ts'

/** Renewals that work come long before: cert-manager's after two thirds of 90 days. */
const NOTICE_MS = 14 * 24 * 3600 * 1000
/** The clock may be set, and timers count no further than 24 days. */
const LONGEST_WAIT_MS = 3600 * 1000

export interface CertificateFindingsOptions {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

interface Judged {
  readonly pem: string
  readonly key: string
  readonly refused: boolean
}

type Compiled = Pick<CompileResult, 'certificates' | 'secrets' | 'table'>

/**
 * What is wrong with served certificates by the clock, or by OpenSSL, neither of which the compiler asks. Told in the log
 * as it comes and goes; Events are for who asks for the diagnostics.
 */
export class CertificateFindings {
  readonly #options: CertificateFindingsOptions
  readonly #log: DiagnosticLog
  #certificates: readonly ServedCertificate[] = []
  #refused: ReadonlySet<string> = new Set()
  /** By id, what OpenSSL has judged. */
  #judged = new Map<string, Judged>()
  #cancel: (() => void) | undefined

  constructor(options: CertificateFindingsOptions) {
    this.#options = options
    this.#log = new DiagnosticLog(options.logger)
  }

  /** Takes over what is served from now on. */
  update(compiled: Compiled): void {
    this.#certificates = compiled.certificates
    this.#refused = this.#judge(compiled)
    this.#look()
  }

  /** As the clock has it now. */
  diagnostics(): Diagnostic[] {
    return certificateDiagnostics(this.#certificates, this.#options.clock.now(), this.#refused)
  }

  stop(): void {
    this.#cancel?.()
  }

  #look(): void {
    this.#cancel?.()
    this.#log.update(this.diagnostics())
    const { clock, timers } = this.#options
    const waitMs = Math.min(LONGEST_WAIT_MS, untilNextChange(this.#certificates, clock.now()))
    this.#cancel = this.#certificates.length === 0 ? undefined : timers.after(waitMs, () => this.#look())
  }

  #judge({ certificates, secrets, table }: Compiled): Set<string> {
    const judged = new Map<string, Judged>()
    for (const { id } of certificates) {
      const certificate = table.certificates[id]
      if (certificate === undefined) continue
      const [pem, key] = [certificate.certificateChainPem, secrets[certificate.privateKey] ?? '']
      const before = this.#judged.get(id)
      const isSame = before?.pem === pem && before.key === key
      judged.set(id, isSame ? before : { pem, key, refused: !isUsable(pem, key) })
    }
    this.#judged = judged
    return new Set([...judged].flatMap(([id, { refused }]) => (refused ? [id] : [])))
  }
}

/** @param refused Ids of those that OpenSSL does not take, such as RSA keys of 1024 bits. */
export function certificateDiagnostics(
  certificates: readonly ServedCertificate[],
  nowMs: number,
  refused: ReadonlySet<string>,
): Diagnostic[] {
  return certificates.flatMap((certificate) => {
    const finding = refused.has(certificate.id) ? REFUSED : findingOf(certificate, nowMs)
    if (finding === undefined) return []
    const message = `is served with the certificate of Secret ${certificate.id}, which ${finding.message}`
    return certificate.uses.map((use) => ({ ...finding, ...use, message }))
  })
}

type Finding = Pick<Diagnostic, 'severity' | 'reason' | 'message' | 'remedy'>

const REFUSED: Finding = {
  severity: 'error',
  reason: 'CertificateInvalid',
  message: 'OpenSSL does not take, so that the default certificate is served instead',
  remedy: 'Have one issued with a stronger key and signature.',
}

function findingOf({ notBeforeMs, notAfterMs }: ServedCertificate, nowMs: number): Finding | undefined {
  if (nowMs > notAfterMs) {
    const message = `expired on ${time(notAfterMs)}; clients refuse it`
    return { severity: 'error', reason: 'CertificateExpired', message, remedy: RENEW }
  }
  if (nowMs < notBeforeMs) {
    const message = `is not valid before ${time(notBeforeMs)}; clients refuse it until then`
    const remedy = 'Wait, or look at the clock of this machine and of who issued it.'
    return { severity: 'error', reason: 'CertificateNotYetValid', message, remedy }
  }
  if (nowMs < notAfterMs - NOTICE_MS) return undefined
  const message = `expires on ${time(notAfterMs)}`
  return { severity: 'warning', reason: 'CertificateExpiresSoon', message, remedy: RENEW }
}

const RENEW = 'Renew it; look at the Certificate of cert-manager, or at whatever writes the Secret.'

function untilNextChange(certificates: readonly ServedCertificate[], nowMs: number): number {
  const times = certificates.flatMap(({ notBeforeMs, notAfterMs }) => [
    notBeforeMs,
    notAfterMs - NOTICE_MS,
    notAfterMs + 1,
  ])
  return Math.min(...times.filter((each) => each > nowMs).map((each) => each - nowMs), LONGEST_WAIT_MS)
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('.000', '')
}

/** What OpenSSL says of a key is not told: it may quote it. */
function isUsable(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch {
    return false
  }
}
