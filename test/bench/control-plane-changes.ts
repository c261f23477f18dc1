import type { BenchCluster } from './control-plane-cluster.ts'
import { benchNames, collections, ruleFor } from './control-plane-objects.ts'
import type { Probe } from './control-plane-probe.ts'

/** Ports of two upstreams that answer with `0` and `1`. */
export type TwoUpstreams = readonly [number, number]

/** Changes one object, and resolves when every thread answers by it. */
type Change = (turn: number) => Promise<void>

/** Each kind of change is made on so many objects in turn. */
const OBJECTS = 10
/** All are among the last hundred, which no smaller measurement has changed. */
const LAST = 100

/** A host that no change touches. */
export function unchangedHost(count: number): string {
  return benchNames(count - LAST + 90).host
}

/** What may change. A second round over the same objects changes them back. */
export function benchChanges(
  cluster: BenchCluster,
  probe: Probe,
  ports: TwoUpstreams,
  count: number,
): Readonly<Record<'endpoints' | 'path' | 'guard' | 'plugin', Change>> {
  const pick = (turn: number, kind: number): number => count - LAST + (turn % OBJECTS) * 8 + kind * 2
  const isBack = (turn: number): boolean => Math.floor(turn / OBJECTS) % 2 === 1
  return {
    async endpoints(turn) {
      const { namespace, app, host } = benchNames(pick(turn, 0))
      const upstream = isBack(turn) ? 0 : 1
      const port = { name: 'http', port: ports[upstream], protocol: 'TCP' }
      await cluster.patch(`${collections(namespace).slices}/${app}`, { ports: [port] })
      await probe.live(host, '/', ({ body }) => body === String(upstream))
    },
    async path(turn) {
      const index = pick(turn, 1)
      const { namespace, app, host } = benchNames(index)
      const path = `/turn-${turn}`
      const rules = [ruleFor(index, path)]
      await cluster.patch(`${collections(namespace).ingresses}/${app}`, { spec: { rules } })
      await probe.live(host, path, ({ status }) => status === 200)
    },
    async guard(turn) {
      const { namespace, app, host, plugin } = benchNames(pick(turn, 2))
      const annotations = isBack(turn)
        ? { 'ostiary.dev/public': 'true', 'ostiary.dev/plugins': null }
        : { 'ostiary.dev/public': null, 'ostiary.dev/plugins': plugin }
      await cluster.patch(`${collections(namespace).ingresses}/${app}`, { metadata: { annotations } })
      await probe.live(host, '/', ({ status }) => status === (isBack(turn) ? 200 : 401))
    },
    async plugin(turn) {
      // Those beside it are guarded from the start.
      const { namespace, host, plugin } = benchNames(pick(turn, 3) + 1)
      const unauthorizedErrorMessage = `Turn ${turn}`
      const object = `${collections(namespace).plugins}/${plugin}`
      await cluster.patch(object, { spec: { unauthorizedErrorMessage } })
      await probe.live(host, '/', ({ body }) => body.includes(unauthorizedErrorMessage))
    },
  }
}
