import { createSecureContext, type SecureContextOptions } from 'node:tls'
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
  /** What was judged. */
  readonly content: readonly unknown[]
  readonly isUsable: boolean
}

type Compiled = Pick<CompileResult, 'certificates' | 'secrets' | 'table'>

/** Some tens of milliseconds at a time: this thread has other things to do. */
const JUDGED_AT_ONCE = 200
const JUDGING_PAUSE_MS = 100

/**
 * What is wrong with served certificates and client authorities by the clock, or by OpenSSL, neither of which the
 * compiler asks. Told in the log as it comes and goes; Events are for who asks for the diagnostics.
 */
export class CertificateFindings {
  readonly #options: CertificateFindingsOptions
  readonly #log: DiagnosticLog
  #compiled: Compiled | undefined
  /** By certificate, what OpenSSL says of it. */
  #judged: ReadonlyMap<string, Judged> = new Map()
  #cancel: (() => void) | undefined

  constructor(options: CertificateFindingsOptions) {
    this.#options = options
    this.#log = new DiagnosticLog(options.logger)
  }

  /** Takes over what is served from now on. */
  update(compiled: Compiled): void {
    this.#compiled = compiled
    this.#look()
  }

  /** As the clock has it now. */
  diagnostics(): Diagnostic[] {
    const refused = new Set([...this.#judged].flatMap(([key, { isUsable }]) => (isUsable ? [] : [key])))
    return certificateDiagnostics(this.#compiled?.certificates ?? [], this.#options.clock.now(), refused)
  }

  stop(): void {
    this.#cancel?.()
  }

  #look(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const { clock, timers } = this.#options
    if (this.#compiled === undefined) return
    const isJudged = this.#judge(this.#compiled)
    this.#log.update(this.diagnostics())
    const { certificates } = this.#compiled
    if (certificates.length === 0) return
    const waitMs = isJudged ? untilNextChange(certificates, clock.now()) : JUDGING_PAUSE_MS
    this.#cancel = timers.after(waitMs, () => this.#look())
  }

  /** Some of those that are new. Whether none is left. */
  #judge({ certificates, secrets, table }: Compiled): boolean {
    const judged = new Map<string, Judged>()
    let left = JUDGED_AT_ONCE
    for (const certificate of certificates) {
      const key = keyOf(certificate)
      const options = contextOptions(certificate, { secrets, table })
      const content = Object.values(options)
      const before = this.#judged.get(key)
      if (before !== undefined && isSame(before.content, content)) judged.set(key, before)
      else if (left > 0) judged.set(key, { content, isUsable: isUsable(options) })
      else continue
      if (judged.get(key) !== before) left -= 1
    }
    this.#judged = judged
    return judged.size === new Set(certificates.map(keyOf)).size
  }
}

/** A Secret may be served, and hold authorities as well. */
function keyOf({ id, authorities }: ServedCertificate): string {
  return authorities === undefined ? id : `${id} ${authorities.id}`
}

function contextOptions(
  { id, authorities }: ServedCertificate,
  { secrets, table }: Pick<Compiled, 'secrets' | 'table'>,
): SecureContextOptions {
  if (authorities !== undefined) return { ca: authorities.caPem, crl: authorities.crlPem }
  const certificate = table.certificates[id]
  const key = certificate && secrets[certificate.privateKey]
  return { cert: certificate?.certificateChainPem, key }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.every((each, index) => each === other[index])
}

/** @param refused Keys of those that OpenSSL does not take, such as RSA keys of 1024 bits. */
export function certificateDiagnostics(
  certificates: readonly ServedCertificate[],
  nowMs: number,
  refused: ReadonlySet<string>,
): Diagnostic[] {
  return certificates.flatMap((certificate) => {
    const words = certificate.authorities === undefined ? SERVED : AUTHORITIES
    const finding = refused.has(keyOf(certificate)) ? words.refused : findingOf(certificate, words, nowMs)
    if (finding === undefined) return []
    const message = `${words.what} Secret ${certificate.id}, ${words.which} ${finding.message}`
    return certificate.uses.map((use) => ({ ...finding, ...use, message }))
  })
}

type Finding = Pick<Diagnostic, 'severity' | 'reason' | 'message' | 'remedy'>

interface Words {
  readonly what: string
  readonly which: string
  readonly effect: string
  readonly remedy: string
  readonly refused: Finding
}

const SERVED: Words = {
  what: 'is served with the certificate of',
  which: 'which',
  effect: 'clients refuse it',
  remedy: 'Renew it; look at the Certificate of cert-manager, or at whatever writes the Secret.',
  refused: {
    severity: 'error',
    reason: 'CertificateInvalid',
    message: 'OpenSSL does not take, so that the default certificate is served instead',
    remedy: 'Have one issued with a stronger key and signature.',
  },
}

const AUTHORITIES: Words = {
  what: 'asks for client certificates of the authorities in',
  which: 'one of which',
  effect: 'its clients are refused',
  remedy: 'Put the authority that takes its place into ca.crt.',
  refused: {
    severity: 'error',
    reason: 'ClientCaInvalid',
    message: 'OpenSSL does not take, so that nobody can connect',
    remedy: 'Look at ca.crt and ca.crl.',
  },
}

function findingOf(
  { notBeforeMs, notAfterMs }: ServedCertificate,
  { effect, remedy }: Words,
  nowMs: number,
): Finding | undefined {
  if (nowMs > notAfterMs) {
    return {
      severity: 'error',
      reason: 'CertificateExpired',
      message: `expired on ${time(notAfterMs)}; ${effect}`,
      remedy,
    }
  }
  if (nowMs < notBeforeMs) {
    const message = `is not valid before ${time(notBeforeMs)}; ${effect} until then`
    const clocks = 'Wait, or look at the clock of this machine and of who issued it.'
    return { severity: 'error', reason: 'CertificateNotYetValid', message, remedy: clocks }
  }
  if (nowMs < notAfterMs - NOTICE_MS) return undefined
  return {
    severity: 'warning',
    reason: 'CertificateExpiresSoon',
    message: `expires on ${time(notAfterMs)}`,
    remedy,
  }
}

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
function isUsable(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options)
    return true
  } catch {
    return false
  }
}
