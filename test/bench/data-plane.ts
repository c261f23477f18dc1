import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/errors.ts'
import { freePort } from '../support/free-port.ts'
import { startAuthorizationServer, type BenchAuthorizationServer } from './authorization-server.ts'
import { buildOstiary } from './built.ts'
import { writeManifests } from './manifests.ts'
import { apache } from './peers/apache.ts'
import { envoy } from './peers/envoy.ts'
import { haproxy } from './peers/haproxy.ts'
import { nginx } from './peers/nginx.ts'
import type { Peer } from './peers/peer.ts'
import { startOstiary, startRedis, startScript } from './processes.ts'
import { machine, printReport, rowsOf, writeReport } from './report.ts'
import { sample, type Sample, type Target } from './sample.ts'
import { login, ownScenarios, peerScenario, recordings, Tokens, type Scenario } from './scenarios.ts'

/**
 * CPU per request of Ostiary with one proxy thread beside a bare forwarder and each peer that is on this machine, in one
 * run. Scenarios take turns in rounds, and each figure is the median of its rounds, so that a machine that slows down
 * slows all of them.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    json: { type: 'string' },
    /** Only the floor and the scenarios whose name has this in it: for profiling one of them. */
    only: { type: 'string', default: '' },
    'no-peers': { type: 'boolean', default: false },
    /** What Node runs; default: built as for the image. */
    main: { type: 'string' },
  },
})

const COMMITTED = path.join(import.meta.dirname, '../../docs/performance.json')
const PEERS: Readonly<Record<string, Peer>> = { nginx, haproxy, envoy, apache }

interface Contestant {
  readonly scenario: Scenario
  readonly target: Target
}

/** Everything that is started is here, to be ended with the run. */
const started: Target[] = []
const folder = mkdtempSync(path.join(tmpdir(), 'ostiary-bench-'))
const server = await startAuthorizationServer()

async function run(): Promise<void> {
  const upstream = await startScript('upstream.ts')
  track({ processes: [upstream.child], port: upstream.port })
  const floor = await startScript('floor.ts', String(upstream.port))
  const floorTarget = track({ processes: [floor.child], port: floor.port })
  const tokens = new Tokens(server)
  const main = flags.main ?? buildOstiary()
  const contestants: Contestant[] = [
    {
      scenario: { name: 'bare forwarder (the floor)', path: '/open', headers: [{}] },
      target: floorTarget,
    },
    ...(await own(main, upstream.port, tokens)),
    ...(await recorded(main, tokens)),
  ]
  const versions: string[] = []
  for (const peer of flags['no-peers'] ? [] : Object.entries(PEERS)) {
    const found = await startPeer(peer, upstream.port, tokens)
    contestants.push(...found.contestants)
    versions.push(...found.versions)
  }
  const rows = rowsOf(await measure(contestants))
  const pace = { connections: Number(flags.connections), rounds: Number(flags.rounds) }
  const report = { machine: machine(versions), ...pace, rows }
  printReport(report, COMMITTED)
  if (flags.json !== undefined) writeReport(report, flags.json)
}

async function own(main: string, upstreamPort: number, tokens: Tokens): Promise<Contestant[]> {
  const redis = await startRedis(await freePort())
  if (redis !== undefined) track({ processes: [redis.child], port: redis.port })
  const manifests = path.join(folder, 'manifests')
  mkdirSync(manifests)
  writeManifests(manifests, {
    upstream: upstreamPort,
    issuer: server.issuer,
    ...(redis !== undefined && { redis: redis.port }),
  })
  const ostiary = await startOstiary(main, manifests, { http: await freePort(), admin: await freePort() })
  const target = track({ processes: [ostiary.child], port: ostiary.port })
  const origin = `http://127.0.0.1:${ostiary.port}`
  const cookies = {
    login: await login(origin, '/login', server),
    ...(redis !== undefined && { redis: await login(origin, '/redis', server) }),
  }
  return ownScenarios(tokens, cookies, flags.only).map((scenario) => ({ scenario, target }))
}

/** Processes of their own, so that the others write nothing of their requests. */
async function recorded(main: string, tokens: Tokens): Promise<Contestant[]> {
  const collector = await startScript('collector.ts')
  track({ processes: [collector.child], port: collector.port })
  const contestants: Contestant[] = []
  for (const { name, flags: recording } of recordings(`http://127.0.0.1:${collector.port}`)) {
    const wanted = ['no plugin', 'bearer, token seen before'].filter((base) =>
      `${base}, ${name}`.includes(flags.only),
    )
    if (wanted.length === 0) continue
    const ports = { http: await freePort(), admin: await freePort() }
    const ostiary = await startOstiary(main, path.join(folder, 'manifests'), ports, 1, recording)
    const target = track({ processes: [ostiary.child], port: ostiary.port })
    for (const base of wanted) {
      const scenario =
        base === 'no plugin' ? { path: '/open', headers: [{}] } : { path: '/bearer', headers: tokens.one }
      contestants.push({ scenario: { ...scenario, name: `${base}, ${name}` }, target })
    }
  }
  return contestants
}

interface FoundPeer {
  readonly contestants: readonly Contestant[]
  readonly versions: readonly string[]
}

async function startPeer(
  [name, peer]: [string, Peer],
  upstreamPort: number,
  tokens: Tokens,
): Promise<FoundPeer> {
  const wanted = peer.scenarios.filter((each) => each.name.includes(flags.only))
  if (wanted.length === 0) return { contestants: [], versions: [] }
  const home = path.join(folder, name)
  mkdirSync(home)
  const running = await peer.start(worldOf(server, upstreamPort, home), await freePort()).catch(messageOf)
  if (typeof running !== 'object') {
    process.stderr.write(`${name}: ${running ?? 'not on this machine'}; its rows are missing\n`)
    return { contestants: [], versions: [] }
  }
  const target = track({ processes: running.processes, port: running.port })
  for (const { name: what, path: place, load } of wanted) {
    const { status } = await fetch(`http://127.0.0.1:${running.port}${place}`)
    // A guard that lets anybody through is no peer.
    if (load !== 'open' && status !== 401) throw new Error(`${what} answers ${status} without a token`)
  }
  const contestants = wanted.map((each) => ({ scenario: peerScenario(each, tokens), target }))
  return { contestants, versions: [running.version] }
}

function worldOf(
  { issuer, audience, publicKeyPem, keySet }: BenchAuthorizationServer,
  upstreamPort: number,
  home: string,
): Parameters<Peer['start']>[0] {
  return { folder: home, upstreamPort, issuer, audience, publicKeyPem, keySet }
}

async function measure(contestants: readonly Contestant[]): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const load = await startScript('load.ts')
  track({ processes: [load.child], port: 0 })
  const pace = { connections: Number(flags.connections), durationMs: Number(flags.seconds) * 1000 }
  const samples = new Map(contestants.map(({ scenario }) => [scenario.name, [] as Sample[]]))
  for (let round = 0; round <= Number(flags.rounds); round++) {
    process.stderr.write(round === 0 ? 'warm-up\n' : `round ${round} of ${flags.rounds}\n`)
    for (const { scenario, target } of contestants) {
      const taken = await sample(scenario, target, load, pace)
      if (round > 0) samples.get(scenario.name)?.push(taken)
    }
  }
  return samples
}

function track(target: Target): Target {
  started.push(target)
  return target
}

try {
  await run()
} finally {
  for (const child of started.flatMap(({ processes }) => processes)) child.kill()
  server.close()
  rmSync(folder, { recursive: true, force: true })
}
