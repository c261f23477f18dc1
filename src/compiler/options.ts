import type { ObjectReference } from '../api/object.ts'
import type { Diagnostic, ObjectStatus } from '../table/diagnostic.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { SecretTable } from '../table/secret-table.ts'

/** The controller's own settings that change what a table means. */
export interface CompileOptions {
  /** Name of the class that class-less Ingresses get in files, and the class matched by name; default `ostiary`. */
  readonly ingressClass: string
  /** Class-less Ingresses are ours: always in files, `--watch-ingress-without-class` in a cluster. */
  readonly takeClasslessIngresses: boolean
  /** `--require-plugin`: a route with neither plugins nor public is closed. */
  readonly requirePlugin: boolean
  /** `--default-plugins`: `namespace/name` of plugins that guard routes with neither plugins nor public. */
  readonly defaultPlugins: readonly string[]
  /** `--allow-shared-hosts`: rules for one host may come from several namespaces. */
  readonly allowSharedHosts: boolean
  /** `--allow-external-name`: Services of type ExternalName are reached by DNS. */
  readonly allowExternalName: boolean
  /** `--replicas`: how many processes serve; absent: not known. */
  readonly replicas?: number
  /** `--default-ssl-certificate`: `namespace/name` of the Secret served where no other matches. */
  readonly defaultCertificate?: string
}

/** All that one compile gives. */
export interface CompileResult {
  readonly table: RoutingTable
  readonly secrets: SecretTable
  readonly statuses: readonly ObjectStatus[]
  readonly diagnostics: readonly Diagnostic[]
  /** The Ingresses that are ours, oldest first: of no other may anything be written. */
  readonly ingresses: readonly ObjectReference[]
}
