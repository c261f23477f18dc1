import type { ObjectReference } from '../api/object.ts'
import type { Diagnostic, ObjectStatus, PluginClaim } from '../table/diagnostic.ts'
import type { PolicyId } from '../table/policy.ts'
import type { RoutingTable } from '../table/routing-table.ts'
import type { SecretTable } from '../table/secret-table.ts'
import type { ServedCertificate } from '../table/served-certificate.ts'

/** The controller's own settings that change what a table means. */
export interface CompileOptions {
  /** Name of the class that class-less Ingresses get in files, and the class matched by name; default `ostiary`. */
  readonly ingressClass: string
  /** `--controller-class`: `spec.controller` of our IngressClasses; default `ostiary.dev/ingress-controller`. */
  readonly controllerClass?: string
  /** A class counts only where its IngressClass is there: in a cluster, where it can be read. */
  readonly requireIngressClass?: boolean
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
  /** `--disable-catch-all`: what an Ingress says of hosts that nobody names does not count. */
  readonly disableCatchAll?: boolean
  /** `--default-backend-service`: `namespace/name` of the Service for requests that no Ingress answers. */
  readonly defaultBackendService?: string
  /** `--replicas`: how many processes serve; absent: not known. */
  readonly replicas?: number
  /** `--dashboard-host`: where the dashboard is served beyond this machine. */
  readonly dashboard?: DashboardHost
  /** `--default-ssl-certificate`: `namespace/name` of the Secret served where no other matches. */
  readonly defaultCertificate?: string
}

/** The dashboard on a host of its own. */
export interface DashboardHost {
  /** A DNS name in lower case. */
  readonly host: string
  /** `namespace/name` of the OIDCPlugin that guards it. */
  readonly plugin: string
  /** Of 127.0.0.1, where it listens. */
  readonly port: number
}

/** All that one compile gives. */
export interface CompileResult {
  readonly table: RoutingTable
  readonly secrets: SecretTable
  readonly statuses: readonly ObjectStatus[]
  readonly diagnostics: readonly Diagnostic[]
  /** The Ingresses that are ours, oldest first: of no other may anything be written. */
  readonly ingresses: readonly ObjectReference[]
  /** Of OIDCPlugins whose conditions are not simply ours to write; see {@link PluginClaim}. */
  readonly claims: ReadonlyMap<PolicyId, PluginClaim>
  /** Those that are served and those of client authorities, each sorted by id. */
  readonly certificates: readonly ServedCertificate[]
}
