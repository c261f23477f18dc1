import type { ClosedReason } from '../table/routing-table.ts'

/** Reasons of diagnostics that close no route by themselves. */
export type DiagnosticReason =
  | 'AudienceNotChecked'
  | 'CertificateConflict'
  | 'CertificateInvalid'
  | 'CertificateNameMismatch'
  | 'CertificateNotFound'
  | 'Conflicted'
  | 'ConsumerNotFound'
  | 'DefaultBackendConflict'
  | 'DuplicateObject'
  | 'GroupsNotKnown'
  | 'HostNotOwned'
  | 'InsecureOption'
  | 'InvalidEndpoint'
  | 'InvalidHost'
  | 'InvalidManifest'
  | 'InvalidName'
  | 'InvalidPath'
  | 'InvalidSpec'
  | 'IssuersShareRedirectUri'
  | 'NoEndpoints'
  | 'OpenidScopeMissing'
  | 'PathConflict'
  | 'PathLooksLikeRegex'
  | 'ReservedPathShadowed'
  | 'RotationNeedsRedis'
  | 'RuleWithoutBackend'
  | 'SecretWhitespace'

/** Every reason that a diagnostic can have. Stable: people grep for them, and the documentation has a row for each. */
export type Reason = ClosedReason | DiagnosticReason
