import { Option } from 'commander'
import * as z from 'zod'
import { OstiaryError } from '../errors.ts'
import type { RowsFormat } from './output-format.ts'

/** What is to be examined, and how it is to be told. */
export interface DoctorRequest {
  readonly namespace: string
  readonly name: string
  /** Absent: a cluster is read. */
  readonly filename?: string
  /** A page behind the plugin. */
  readonly url?: URL
  readonly output: RowsFormat
}

const httpUrl = z.url({ protocol: /^https?$/, message: 'must be an http(s) URL' })

const schema = z.object({
  filename: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  url: httpUrl.optional(),
  output: z.enum(['text', 'table', 'json', 'yaml']).default('text'),
})

/** The flags of `ostiary doctor` that no other command has. */
export function doctorOptions(): Option[] {
  return [
    new Option('-f, --filename <path>', 'directory or file of manifests instead of a cluster'),
    new Option('-n, --namespace <name>', 'namespace of the plugin (default: default)'),
    new Option('--kubeconfig <file>', 'kubeconfig of the cluster (default: in-cluster, else KUBECONFIG)'),
    new Option(
      '--url <url>',
      'address of a page behind the plugin: tells the redirect URI where no host does',
    ),
    new Option('--output <format>', 'text, table, json or yaml (default: text)'),
    new Option(
      '--without-cluster-rights',
      'as for run: read the namespace of the plugin alone, and match the class by --ingress-class',
    ),
    new Option(
      '--allow-loopback-issuers',
      'as for run: the issuer may be on loopback (always so with files)',
    ),
  ]
}

/**
 * Takes the command's own flags apart from those that are settings.
 *
 * @param plugin `name`, or `namespace/name`.
 * @throws OstiaryError ERR_SETTINGS_INVALID
 */
export function readDoctorRequest(
  plugin: string,
  flags: Readonly<Record<string, unknown>>,
): { readonly request: DoctorRequest; readonly settings: Readonly<Record<string, unknown>> } {
  const { filename, namespace, url, output, ...settings } = flags
  const parsed = schema.safeParse({ filename, namespace, url, output })
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`)
    throw new OstiaryError('ERR_SETTINGS_INVALID', lines.join('\n'))
  }
  const own = parsed.data
  const slash = plugin.indexOf('/')
  const named = slash === -1 ? undefined : plugin.slice(0, slash)
  if (named !== undefined && own.namespace !== undefined && named !== own.namespace) {
    throw new OstiaryError('ERR_SETTINGS_INVALID', `${plugin} is not in --namespace ${own.namespace}`)
  }
  const request: DoctorRequest = {
    namespace: named ?? own.namespace ?? 'default',
    name: plugin.slice(slash + 1),
    output: own.output,
    ...(own.filename !== undefined && { filename: own.filename }),
    ...(own.url !== undefined && { url: new URL(own.url) }),
  }
  // What it takes in place of the namespaces that `run` is told to watch.
  const watched = settings['withoutClusterRights'] === true ? { watchNamespace: [request.namespace] } : {}
  return { request, settings: { ...settings, ...watched } }
}
