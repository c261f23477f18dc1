import type { Clock } from '../clock.ts'
import { ApiServerError } from '../source/cluster/api-server-error.ts'
import type { ApiServer } from '../source/cluster/api-server.ts'
import { toAddresses, type IngressAddress } from './ingress-addresses.ts'

export interface NodeAddressesOptions {
  readonly api: ApiServer
  readonly clock: Clock
  /** Of the pods. */
  readonly namespace: string
  /** One of them: the one that this process runs in. */
  readonly pod: string
}

/** Addresses of nodes hardly ever change; a node that is asked for every time would be so by each leader of a cluster. */
const NODE_FRESH_MS = 300_000

/** Labels of which a workload gives each pod another value, or each of its revisions, or each release of the chart. */
const OWN_LABELS: readonly string[] = [
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'app.kubernetes.io/version',
  'helm.sh/chart',
]

interface Pod {
  readonly metadata?: { readonly labels?: unknown; readonly deletionTimestamp?: unknown } | null
  readonly spec?: { readonly nodeName?: unknown } | null
  readonly status?: { readonly conditions?: unknown } | null
}

/** The addresses of the nodes that the ready pods of this controller run on: those with the labels of our own pod. */
export class NodeAddresses {
  readonly #options: NodeAddressesOptions
  readonly #nodes = new Map<string, { readonly addresses: readonly string[]; readonly atMs: number }>()
  #selector: string | undefined

  constructor(options: NodeAddressesOptions) {
    this.#options = options
  }

  /**
   * @returns Nothing where no pod is ready: that says nothing of where they will be.
   * @throws ApiServerError, and a TypeError where our own pod has no labels to find the others by.
   */
  async read(signal: AbortSignal): Promise<IngressAddress[] | undefined> {
    const names = await this.#nodeNames(signal)
    if (names.length === 0) return undefined
    const found: string[] = []
    for (const name of names) found.push(...(await this.#addressesOf(name, signal)))
    for (const name of this.#nodes.keys()) if (!names.includes(name)) this.#nodes.delete(name)
    return toAddresses(found)
  }

  async #nodeNames(signal: AbortSignal): Promise<string[]> {
    const { api } = this.#options
    this.#selector ??= await this.#readSelector(signal)
    const query = { labelSelector: this.#selector, fieldSelector: 'status.phase=Running' }
    const { items } = (await api.json({ path: this.#podsPath(), query, signal })) as { items?: unknown }
    const pods = (Array.isArray(items) ? items : []) as Pod[]
    const names = pods.filter(isReady).map(({ spec }) => spec?.nodeName)
    return [
      ...new Set(names.filter((name): name is string => typeof name === 'string' && name !== '')),
    ].sort()
  }

  async #readSelector(signal: AbortSignal): Promise<string> {
    const { api, namespace, pod } = this.#options
    const path = `${this.#podsPath()}/${encodeURIComponent(pod)}`
    const { metadata } = (await api.json({ path, signal })) as Pod
    const labels = Object.entries((metadata?.labels ?? {}) as Readonly<Record<string, string>>).filter(
      ([name]) => !OWN_LABELS.includes(name),
    )
    // Without any, every pod of the namespace would be one of ours.
    if (labels.length === 0) throw new TypeError(`pod ${namespace}/${pod} has no labels`)
    return labels.map(([name, value]) => `${name}=${value}`).join()
  }

  async #addressesOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const { api, clock } = this.#options
    const known = this.#nodes.get(name)
    if (known !== undefined && clock.monotonic() - known.atMs < NODE_FRESH_MS) return known.addresses
    const addresses = addressesOfNode(
      await orAbsent(api.json({ path: `/api/v1/nodes/${encodeURIComponent(name)}`, signal })),
    )
    this.#nodes.set(name, { addresses, atMs: clock.monotonic() })
    return addresses
  }

  #podsPath(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/pods`
  }
}

/** Those that are reached from outside of the cluster, else those that are not. Total. */
export function addressesOfNode(raw: unknown): string[] {
  const { status } = (raw ?? {}) as { status?: { addresses?: unknown } | null }
  const all: unknown[] = Array.isArray(status?.addresses) ? status.addresses : []
  const ofType = (wanted: string): string[] =>
    all.flatMap((each) => {
      const { type, address } = (each ?? {}) as { type?: unknown; address?: unknown }
      return type === wanted && typeof address === 'string' && address !== '' ? [address] : []
    })
  const external = ofType('ExternalIP')
  return external.length > 0 ? external : ofType('InternalIP')
}

function isReady({ metadata, status }: Pod): boolean {
  const conditions: unknown[] = Array.isArray(status?.conditions) ? status.conditions : []
  const isSaidReady = conditions.some((each) => {
    const { type, status: value } = (each ?? {}) as { type?: unknown; status?: unknown }
    return type === 'Ready' && value === 'True'
  })
  return isSaidReady && metadata?.deletionTimestamp == null
}

/** A node that has gone meanwhile has no addresses. */
async function orAbsent(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiServerError && error.status === 404) return undefined
    throw error
  }
}
