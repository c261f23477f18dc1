import * as z from 'zod'

const wholeNumber = (maximum: number): z.ZodType<number> => {
  const message = `must be a whole number from 0 to ${maximum}`
  return z.coerce.number({ message }).int(message).min(0, message).max(maximum, message)
}
const port = wholeNumber(65_535)
const list = z.array(z.string().min(1)).default([])
const qualifiedName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be namespace/name')

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
  adminAddress: z.string().min(1).default('::'),
  adminPort: port.default(10_254),
  /** 0: as many as the cgroup allows. */
  workers: wholeNumber(256).default(0),
  trustedProxies: list,
  ingressClass: z.string().min(1).default('ostiary'),
  watchIngressWithoutClass: z.boolean().default(false),
  requirePlugin: z.boolean().default(false),
  defaultPlugins: z.array(qualifiedName).default([]),
  allowSharedHosts: z.boolean().default(false),
  allowExternalName: z.boolean().default(false),
  allowLoopbackIssuers: z.boolean().default(false),
  /** HTTP proxies for calls to authorization servers, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. May hold a password. */
  httpProxy: proxy.optional(),
  httpsProxy: proxy.optional(),
  noProxy: z.string().optional(),
  defaultSslCertificate: qualifiedName.optional(),
  /** How many processes serve, where that is known. */
  replicas: z.coerce.number().int().min(1).max(10_000).optional(),
  sessionKeyFile: z.string().min(1).optional(),
  sessionKeySecret: z.string().min(1).default('ostiary-session-keys'),
  /** One instance of several writes status and Events; false where there is only one. */
  leaderElect: z
    .enum(['true', 'false'], 'must be true or false')
    .default('true')
    .transform((text) => text === 'true'),
  /** Name of the Lease of the leader. */
  electionId: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Lease')
    .default('ostiary-leader'),
  publishService: qualifiedName.optional(),
  publishStatusAddress: z
    .array(
      z
        .string()
        .max(253)
        .regex(/^[A-Za-z0-9.:-]+$/, 'must list IP addresses or host names'),
    )
    .default([]),
  updateStatusOnShutdown: z.boolean().default(false),
  drainTimeoutSeconds: wholeNumber(3600).default(30),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  logFormat: z.enum(['auto', 'json', 'pretty']).default('auto'),
})

export type Settings = Readonly<z.output<typeof settingsSchema>>
