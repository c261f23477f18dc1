import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../support/free-port.ts'
import { startAuthorizationServer } from './authorization-server.ts'
import { buildOstiary } from './built.ts'
import { writeManifests, writeMoreRoutes } from './manifests.ts'
import { residentMebibytes, startOstiary, startScript, type Measured } from './processes.ts'
import { machine } from './report.ts'
import { sample, type Pace, type Sample, type Target } from './sample.ts'
import { Tokens, type Scenario } from './scenarios.ts'

/**
 * `npm run bench -- steadiness`: what must not change the cost of a guarded request: the number of routes, a second
 * proxy thread, time (a soak), and idle connections; and what half load adds to the latency of a bare forwarder.
 */
const { values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'soak-minutes': { type: 'string', default: '10' },
    idle: { type: 'string', default: '10000' },
    /** What Node runs; default: built as for the image. */
    main: { type: 'string' },
  },
})
/**
 * V8 goes on giving back for so long what reading the manifests took: at 10,000 routes, a tenth to a quarter of the CPU
 * that is counted for requests meanwhile, on the main thread and its helpers.
 */
const SETTLING_MS = 60_000
const PACE: Pace = { connections: 32, durationMs: Number(flags.seconds) * 1000 }
const ROUTES = [1, 100, 10_000]

const main = flags.main ?? buildOstiary()
const folder = mkdtempSync(path.join(tmpdir(), 'ostiary-steadiness-'))
const server = await startAuthorizationServer()
const tokens = new Tokens(server)
const guarded: Scenario = { name: 'bearer, token seen before', path: '/bearer', headers: tokens.one }
const started: Measured[] = []
const upstream = track(await startScript('upstream.ts'))
const load = track(await startScript('load.ts'))

/** An Ostiary with so many guarded routes besides its own four, and so many proxy threads. */
async function ostiaryWith(routes: number, workers: number): Promise<Target> {
  const manifests = mkdtempSync(path.join(folder, 'manifests-'))
  writeManifests(manifests, { upstream: upstream.port, issuer: server.issuer })
  if (routes > 1) writeMoreRoutes(manifests, routes)
  const ports = { http: await freePort(), admin: await freePort() }
  const { child, port } = track(await startOstiary(main, manifests, ports, workers))
  return { processes: [child], port }
}

/** Median CPU of a request by each target, in rounds that take turns. */
async function compare(targets: readonly Target[]): Promise<readonly number[]> {
  const taken = targets.map(() => [] as number[])
  for (let round = 0; round <= Number(flags.rounds); round++) {
    // Now from the one end, now from the other, so that none is always the one after the busiest.
    const order = [...targets.entries()]
    for (const [index, target] of round % 2 === 0 ? order : order.toReversed()) {
      const { cpuMicros, requests } = await sample(guarded, target, load, PACE)
      if (round > 0) taken[index]?.push(cpuMicros / requests)
    }
  }
  return taken.map(median)
}

async function routeCounts(): Promise<Target> {
  const targets = []
  for (const routes of ROUTES) targets.push(await ostiaryWith(routes, 1))
  await pause(SETTLING_MS)
  const micros = await compare(targets)
  for (const [index, routes] of ROUTES.entries()) {
    print(
      `${routes} routes`,
      `${format(micros[index])} µs`,
      `${format(of(micros, index))} × 1 route`,
      '≤ 1.1',
    )
  }
  return targets[0] as Target
}

/** Beside two bare forwarders on one port: what they cost more than one is the machine's, not the threads'. */
async function workers(one: Target): Promise<void> {
  const micros = await compare([one, await ostiaryWith(1, 2), await floors(1), await floors(2)])
  const bare = (micros[3] ?? Number.NaN) / (micros[2] ?? Number.NaN)
  print(
    '2 proxy threads',
    `${format(micros[1])} µs`,
    `${format(of(micros, 1))} × 1 thread, bare ${format(bare)}`,
    '≤ 1.1',
  )
}

async function floors(count: number): Promise<Target> {
  const port = await freePort()
  const processes = []
  for (let n = 0; n < count; n++) {
    processes.push(track(await startScript('floor.ts', String(upstream.port), String(port))).child)
  }
  return { processes, port }
}

/** Both at the same rate: half of what Ostiary does at most. */
async function halfLoad(one: Target): Promise<void> {
  const floorScript = track(await startScript('floor.ts', String(upstream.port)))
  const floor = { processes: [floorScript.child], port: floorScript.port }
  const { requests, durationMs } = await sample(guarded, one, load, PACE)
  const pace = { ...PACE, ratePerSecond: (requests / durationMs / 2) * 1000 }
  const p99s: [number[], number[]] = [[], []]
  for (let round = 0; round < Number(flags.rounds); round++) {
    p99s[0].push((await sample({ ...guarded, path: '/open' }, floor, load, pace)).p99Ms)
    p99s[1].push((await sample(guarded, one, load, pace)).p99Ms)
  }
  const [bare, own] = [median(p99s[0]), median(p99s[1])]
  print(
    'half load, p99',
    `${format(own)} ms`,
    `${format(own - bare)} ms over the floor's ${format(bare)}`,
    '≤ 1 ms',
  )
}

async function soak(one: Target): Promise<void> {
  const minutes = Number(flags['soak-minutes'])
  const memory: number[] = []
  for (let minute = 0; minute < minutes; minute++) {
    const taken: Sample = await sample(guarded, one, load, { ...PACE, durationMs: 60_000 })
    memory.push(taken.memoryMiB)
    process.stderr.write(`minute ${minute + 1}: ${taken.memoryMiB.toFixed(0)} MiB\n`)
  }
  const [first = Number.NaN, last = Number.NaN] = [memory[0], memory.at(-1)]
  const growth = `${format(last / first)} × the first minute`
  print(`soak of ${minutes} minutes`, `${last.toFixed(0)} MiB`, growth, 'flat')
}

/** Each has had one answer, and then stays. */
async function idleConnections(): Promise<void> {
  const { processes, port } = await ostiaryWith(1, 1)
  const process_ = processes[0]
  if (process_ === undefined) return
  const before = residentMebibytes(process_)
  const sockets: Socket[] = []
  for (let n = 0; n < Number(flags.idle); n++) sockets.push(await answeredConnection(port))
  const after = residentMebibytes(process_)
  for (const socket of sockets) socket.destroy()
  const each = ((after - before) * 1024) / sockets.length
  print(
    `${sockets.length} idle connections`,
    `${after.toFixed(0)} MiB`,
    `${format(each)} KiB each`,
    '< 300 MiB',
  )
}

function answeredConnection(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', () => resolve(socket.pause()))
    socket.write('GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n')
  })
}

function print(what: string, figure: string, compared: string, target: string): void {
  console.log(`${what.padEnd(26)} ${figure.padStart(12)}   ${compared.padEnd(36)} target ${target}`)
}

function track(measured: Measured): Measured {
  started.push(measured)
  return measured
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function of(numbers: readonly number[], index: number): number {
  return (numbers[index] ?? Number.NaN) / (numbers[0] ?? Number.NaN)
}

function format(number: number | undefined): string {
  return (number ?? Number.NaN).toFixed(2)
}

try {
  console.log(machine([]))
  const one = await routeCounts()
  await workers(one)
  await halfLoad(one)
  if (Number(flags.idle) > 0) await idleConnections()
  if (Number(flags['soak-minutes']) > 0) await soak(one)
} finally {
  for (const { child } of started) child.kill()
  server.close()
  rmSync(folder, { recursive: true, force: true })
}
