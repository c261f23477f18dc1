import { InvalidArgumentError, Option } from 'commander'
import { CLIENT_LIMIT_FLAGS } from './client-limits.ts'
import { LOG_FLAGS } from './logs.ts'

/**
 * `a,b` and repeated flags both make one list. One without anything in it is refused: of guards, proxies or namespaces
 * it would mean none, or all.
 */
function collect(value: string, previous: string[] = []): string[] {
  const items = value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  if (items.length === 0) throw new InvalidArgumentError('It is empty: name something, or leave it out.')
  return [...previous, ...items]
}

/**
 * A flag and, where it takes a value, its variable: `--http-port` is also `OSTIARY_HTTP_PORT`. A switch has none:
 * commander turns it on by any value, so `OSTIARY_ALLOW_SHARED_HOSTS=false` would open what it means to close.
 */
function option(flags: string, description: string): Option {
  const made = new Option(flags, description)
  return flags.includes('<') ? made.env(variableOf(made)) : made
}

/** The name that a flag's variable has, or would have. */
export function variableOf({ long }: Option): string {
  return `OSTIARY_${long?.slice(2).replaceAll('-', '_').toUpperCase()}`
}

/** The flags that change what a compile means; `check` and `compile` take them too. */
export function compileOptions(): Option[] {
  return [
    option(
      '--ingress-class <name>',
      'class of files without IngressClasses, and with --without-cluster-rights (default: ostiary)',
    ),
    option(
      '--controller-class <name>',
      'spec.controller of the IngressClasses to serve (default: ostiary.dev/ingress-controller)',
    ),
    option('--watch-ingress-without-class', 'also serve Ingresses without a class (always so with files)'),
    option('--require-plugin', 'close every route that has neither plugins nor ostiary.dev/public'),
    option('--default-plugins <list>', 'namespace/name of OIDCPlugins that guard such routes').argParser(
      collect,
    ),
    option('--allow-shared-hosts', 'let several namespaces have rules for one host'),
    option('--replicas <count>', 'how many replicas serve, for warnings about what they must share'),
    option('--dashboard-port <port>', 'port of dashboard and debug endpoints (default: 10255)'),
    option(
      '--dashboard-host <host>',
      'host that the dashboard is served on beyond this machine too; with --dashboard-plugin only',
    ),
    option('--dashboard-plugin <plugin>', 'namespace/name of the OIDCPlugin that guards --dashboard-host'),
    option('--allow-external-name', 'forward to Services of type ExternalName'),
    option('--disable-catch-all', 'leave out what Ingresses say of hosts that nobody names'),
    option(
      '--default-backend-service <service>',
      'namespace/name of the Service for hosts that nobody names, by its first port, open to all (default: 404)',
    ),
    option(
      '--default-ssl-certificate <secret>',
      'namespace/name of the TLS Secret served where no other matches',
    ),
  ]
}

/** The flags of `ostiary run`. */
export function runOptions(): Option[] {
  return [
    option('--manifests <directory>', 'read a directory of YAML instead of a cluster'),
    option('--kubeconfig <file>', 'kubeconfig of the cluster (default: in-cluster, else KUBECONFIG)'),
    option('--watch-namespace <list>', 'watch these namespaces only').argParser(collect),
    option(
      '--without-cluster-rights',
      'read nothing outside of --watch-namespace: Roles suffice, and the class is matched by --ingress-class',
    ),
    option('--namespace <name>', "the controller's own namespace (default: the pod's, else default)"),
    option(
      '--bind-address <address>',
      'address of the HTTP and HTTPS listeners (default: ::, both IP versions)',
    ),
    option('--http-port <port>', 'HTTP port (default: 8080)'),
    option('--https-port <port>', 'HTTPS port (default: 8443)'),
    option(
      '--tls-min-version <version>',
      'lowest TLS version that clients may use: 1.2 or 1.3 (default: 1.2)',
    ),
    option('--http2 <boolean>', 'HTTP/2 for TLS clients that offer it, beside HTTP/1.1 (default: true)'),
    option('--https-redirect-port <port>', 'HTTPS port as clients see it, for ssl-redirect (default: 443)'),
    option('--admin-address <address>', 'address of probes and metrics (default: ::)'),
    option('--admin-port <port>', 'port of /startupz, /livez, /readyz and /metrics (default: 10254)'),
    option(
      '--debug-endpoints',
      'serve the live table, CPU profiles and heap snapshots, which hold secrets, below /debug on 127.0.0.1',
    ),
    option(
      '--dashboard <boolean>',
      'a dashboard of this process, on 127.0.0.1 alone; it changes nothing (default: true)',
    ),
    option('--workers <count>', 'proxy threads (default: the CPUs that the cgroup allows)'),
    option('--trusted-proxies <cidrs>', 'CIDRs whose X-Forwarded-* is believed').argParser(collect),
    option(
      '--allow-loopback-issuers',
      'let issuers and Redis be on loopback and link-local addresses (always so with files)',
    ),
    option('--session-key-file <file>', 'file of session keys, newest first (default with files: in memory)'),
    option(
      '--session-key-secret <name>',
      'Secret of session keys, made when absent (default: ostiary-session-keys)',
    ),
    option(
      '--leader-elect <boolean>',
      'let one of several instances write status and Events (default: true)',
    ),
    option(
      '--election-id <name>',
      'name of the Lease of the leader (default: ostiary-leader, with another class its name behind that)',
    ),
    option('--publish-service <service>', 'namespace/name of the Service whose addresses Ingresses get'),
    option('--publish-status-address <list>', 'addresses that Ingresses get instead').argParser(collect),
    option(
      '--publish-node-addresses',
      'give Ingresses the addresses of the nodes that our pods run on, external before internal ones',
    ),
    option('--update-status-on-shutdown', 'take the addresses away when the last instance leaves'),
    option(
      '--shutdown-delay <duration>',
      'how long everything is served after SIGTERM while /readyz already fails, as 5s (default: 5s, with files 0)',
    ),
    option('--drain-timeout <duration>', 'how long requests in flight may go on after that (default: 30s)'),
    ...CLIENT_LIMIT_FLAGS.map(([flags, description]) => option(flags, description)),
    ...LOG_FLAGS.map(([flags, description]) => option(flags, description)),
    ...compileOptions(),
  ]
}
