import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { hostAddress } from '../cluster/host-address.ts'
import { API_SERVER_REMEDY, hasApiServer, PrivateApiServer } from '../support/private-api-server.ts'
import { startAuthorizationServer } from './authorization-server.ts'
import { buildOstiary } from './built.ts'
import { BenchCluster } from './control-plane-cluster.ts'
import { measure, type Measurement } from './control-plane-measure.ts'
import { judge, printTable } from './control-plane-report.ts'

/**
 * `npm run bench -- control-plane`: what 100, 1,000 and 10,000 Ingresses cost, on an API server of its own, whose
 * binaries are in KUBEBUILDER_ASSETS. Set beside the targets; with `--check` a missed one ends it with 1.
 */
const { values: flags } = parseArgs({
  args: process.argv.slice(3),
  options: {
    sizes: { type: 'string', default: '100,1000,10000' },
    /** Changes of each kind that are waited for. */
    changes: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '5' },
    /** What Node runs; default: built as for the image. */
    main: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})

const main = flags.main ?? buildOstiary()
if (!hasApiServer()) throw new Error(API_SERVER_REMEDY)
await using running = new AsyncDisposableStack()
const server = await PrivateApiServer.create()
running.defer(() => server.close())
await server.start()
const cluster = new BenchCluster(server)
running.defer(() => cluster.close())
await cluster.install()
const address = hostAddress()
const authorizationServer = await startAuthorizationServer()
running.defer(() => authorizationServer.close())
const upstreams = [await upstream('0'), await upstream('1')] as const

const measured: Measurement[] = []
for (const size of flags.sizes.split(',').map(Number)) {
  process.stderr.write(`${size} Ingresses: loading\n`)
  const world = { address, port: upstreams[0], issuer: authorizationServer.issuer }
  await cluster.grow(size, world)
  process.stderr.write(`${size} Ingresses: measuring\n`)
  const order = {
    size,
    cluster,
    kubeconfig: server.kubeconfig,
    main,
    ports: upstreams,
    changes: Number(flags.changes),
    seconds: Number(flags.seconds),
  }
  measured.push(await measure(order))
}
const load = loadavg()
  .map((each) => each.toFixed(1))
  .join(' ')
const cpu = cpus()[0]?.model ?? 'unknown CPU'
const machine = `${cpu}, ${cpus().length} CPUs, load average ${load}, Node ${process.version}`
printTable(machine, measured)
const targets = judge(measured)
console.table(targets)
if (flags.json !== undefined)
  writeFileSync(flags.json, JSON.stringify({ machine, measured, targets }, null, 2))
if (flags.check && targets.some(({ met }) => !met)) process.exitCode = 1

async function upstream(body: string): Promise<number> {
  const listening = createServer((_, response) => response.end(body)).listen(0, address)
  await once(listening, 'listening')
  running.defer(() => {
    listening.closeAllConnections()
    listening.close()
  })
  return (listening.address() as AddressInfo).port
}
