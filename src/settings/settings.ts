import * as z from 'zod'
import { CLIENT_LIMIT_FIELDS } from './client-limits.ts'
import { duration } from './duration.ts'
import { LOG_FIELDS } from './logs.ts'
import { wholeNumber } from './whole-number.ts'

export const DEFAULT_CONTROLLER_CLASS = 'ostiary.dev/ingress-controller'

const port = wholeNumber(0, 65_535)
const trueByDefault: z.ZodType<boolean> = z
  .enum(['true', 'false'], 'must be true or false')
  .default('true')
  .transform((text) => text === 'true')
const list = z.array(z.string().min(1)).default([])
const qualifiedName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be namespace/name')

/** Lower-case DNS name (RFC 1123) that no resolver takes for an IPv4 address. */
const HOST =
  /^(?!.*(?:^|\.)(?:\d+|0x[0-9a-f]*)$)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/

/** As curl takes them: a scheme may be missing, and then it is http. */
const proxy = z
  .string()
  .transform((text) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`))
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be the URL of an http(s) proxy')

/** The controller's own settings, from flags and `OSTIARY_…` variables. Frozen once read. */
export const settingsSchema = z.strictObject({
  /** A directory of manifests instead of a cluster. */
  manifests: z.string().min(1).optional(),
  kubeconfig: z.string().min(1).optional(),
  watchNamespace: list,
  /** The controller's own namespace: where the session key Secret lives. */
  namespace: z.string().min(1).default('default'),
  bindAddress: z.string().min(1).default('::'),
  httpPort: port.default(8080),
  httpsPort: port.default(8443),
  /** As clients see it: where `ssl-redirect` sends them. */
  httpsRedirectPort: port.default(443),
  /** Of clients. */
  tlsMinVersion: z.enum(['1.2', '1.3'], 'must be 1.2 or 1.3').default('1.2'),
  /** Clients that offer it over TLS get HTTP/2. */
  http2: trueByDefault,
  adminAddress: z.string().min(1).default('::'),
  adminPort: port.default(10_254),
  /** A dashboard that shows this process, on the loopback address alone. */
  dashboard: trueByDefault,
  dashboardPort: port.default(10_255),
  /** The live table, profiles and heap snapshots, on the loopback address alone. */
  debugEndpoints: z.boolean().default(false),
  /** Where the dashboard is served to others too, behind a plugin. */
  dashboardHost: z
    .string()
    .max(253)
    .regex(HOST, 'must be a DNS name in lower case, without a port')
    .optional(),
  dashboardPlugin: qualifiedName.optional(),
  /** 0: as many as the cgroup allows. */
  workers: wholeNumber(0, 256).default(0),
  trustedProxies: list,
  ingressClass: z.string().min(1).default('ostiary'),
  /** `spec.controller` of the IngressClasses that are served. All of Ostiary's have one prefix: they know each other by it. */
  controllerClass: z
    .string()
    .regex(
      /^ostiary\.dev\/[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?$/,
      'must be ostiary.dev/ and a name of up to 48 lower-case letters, digits and -',
    )
    .default(DEFAULT_CONTROLLER_CLASS),
  /** Nothing that needs a ClusterRole is read: the class is matched by name, in the watched namespaces only. */
  withoutClusterRights: z.boolean().default(false),
  watchIngressWithoutClass: z.boolean().default(false),
  requirePlugin: z.boolean().default(false),
  defaultPlugins: z.array(qualifiedName).default([]),
  allowSharedHosts: z.boolean().default(false),
  allowExternalName: z.boolean().default(false),
  disableCatchAll: z.boolean().default(false),
  defaultBackendService: qualifiedName.optional(),
  allowLoopbackIssuers: z.boolean().default(false),
  /** HTTP proxies for calls to authorization servers, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. May hold a password. */
  httpProxy: proxy.optional(),
  httpsProxy: proxy.optional(),
  noProxy: z.string().optional(),
  defaultSslCertificate: qualifiedName.optional(),
  /** How many processes serve, where that is known. */
  replicas: wholeNumber(1, 10_000).optional(),
  sessionKeyFile: z.string().min(1).optional(),
  sessionKeySecret: z.string().min(1).default('ostiary-session-keys'),
  /** One instance of several writes status and Events; false where there is only one. */
  leaderElect: trueByDefault,
  /** Name of the Lease of the leader; absent: made of what tells this installation from others. */
  electionId: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Lease')
    .optional(),
  publishService: qualifiedName.optional(),
  publishStatusAddress: z
    .array(
      z
        .string()
        .max(253)
        .regex(/^[A-Za-z0-9.:-]+$/, 'must list IP addresses or host names'),
    )
    .default([]),
  /** Ingresses get the addresses of the nodes that our pods run on. */
  publishNodeAddresses: z.boolean().default(false),
  /** Of the pod that this process runs in: whose labels the other pods have. Absent: the host's name. */
  podName: z.string().min(1).optional(),
  updateStatusOnShutdown: z.boolean().default(false),
  /** Milliseconds from SIGTERM to the drain, in which everything is served. Absent: 5 s on a cluster, none with files. */
  shutdownDelay: duration(3600).optional(),
  /** Milliseconds that requests under way may go on after that. */
  drainTimeout: duration(3600).default(30_000),
  ...CLIENT_LIMIT_FIELDS,
  ...LOG_FIELDS,
})

export type Settings = Readonly<z.output<typeof settingsSchema>>
