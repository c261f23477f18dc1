import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { startAuthorizationServer, type BenchAuthorizationServer } from './authorization-server.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { writeManifests } from './manifests.ts'
import {
  cpuMicroseconds,
  nextMessage,
  residentMebibytes,
  startOstiary,
  startRedis,
  startScript,
  type Measured,
} from './processes.ts'

/**
 * `npm run bench`: CPU per request of Ostiary beside a bare forwarder, in one run. Scenarios take turns in rounds, and
 * each figure is the median of its rounds, so that a machine that slows down slows all of them.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    json: { type: 'string' },
    /** Only the floor and the scenarios whose name has this in it: for profiling one of them. */
    only: { type: 'string', default: '' },
  },
})

interface Scenario {
  readonly name: string
  readonly target: 'floor' | 'ostiary'
  readonly path: string
  readonly headers: () => readonly Readonly<Record<string, string>>[]
}

interface Sample extends LoadResult {
  readonly cpuMicros: number
}

/** More tokens in turn than the cache holds (10,000): each has been forgotten when it comes again. */
const FORGOTTEN = 11_000

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

interface Cookies {
  readonly login: string
  /** Absent without Redis. */
  readonly redis?: string
}

function scenarios(server: BenchAuthorizationServer, cookies: Cookies): readonly Scenario[] {
  const one = server.accessToken()
  const thousand = Array.from({ length: 1000 }, () => bearer(server.accessToken()))
  const unseen = Array.from({ length: FORGOTTEN }, () => bearer(server.accessToken()))
  return [
    { name: 'bare forwarder (the floor)', target: 'floor', path: '/open', headers: () => [{}] },
    { name: 'no plugin', target: 'ostiary', path: '/open', headers: () => [{}] },
    { name: 'bearer, token seen before', target: 'ostiary', path: '/bearer', headers: () => [bearer(one)] },
    { name: 'bearer, one of 1,000 tokens', target: 'ostiary', path: '/bearer', headers: () => thousand },
    {
      name: 'bearer, token never seen',
      target: 'ostiary',
      path: '/bearer',
      headers: () => unseen,
    },
    {
      name: 'session cookie',
      target: 'ostiary',
      path: '/login',
      headers: () => [{ cookie: cookies.login }],
    },
    ...inRedis(cookies),
    {
      name: 'introspection, cached',
      target: 'ostiary',
      path: '/introspection',
      headers: () => [bearer(one)],
    },
  ]
}

function inRedis({ redis: cookie }: Cookies): readonly Scenario[] {
  if (cookie === undefined) return []
  return [{ name: 'session in Redis', target: 'ostiary', path: '/redis', headers: () => [{ cookie }] }]
}

/** Logs in as a browser would, but for the login page itself: the bench's server takes any code. */
async function login(origin: string, path: string, server: BenchAuthorizationServer): Promise<string> {
  const start = await navigate(origin + path)
  const authorize = new URL(start.location)
  server.expectNonce(authorize.searchParams.get('nonce') ?? '')
  const state = encodeURIComponent(authorize.searchParams.get('state') ?? '')
  const callback = `${origin}/oauth2/callback?code=bench&state=${state}`
  return (await navigate(callback, start.cookies)).cookies
}

/** One page load; a redirect is the only answer that is expected. */
async function navigate(url: string, cookie?: string): Promise<{ location: string; cookies: string }> {
  const headers = { accept: 'text/html', ...(cookie !== undefined && { cookie }) }
  const { statusCode, headers: answer, body } = await request(url, { headers })
  const text = await body.text()
  if (statusCode >= 400) throw new Error(`login failed: ${statusCode} ${text}`)
  const set = [answer['set-cookie'] ?? []].flat().map((each) => each.split(';')[0] ?? '')
  const cookies = set.filter((each) => !each.endsWith('=')).join('; ')
  return { location: String(answer['location']), cookies }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

async function sample(
  scenario: Scenario,
  measured: Measured,
  load: Measured,
  durationMs: number,
): Promise<Sample> {
  const order: LoadOrder = {
    origin: `http://127.0.0.1:${measured.port}`,
    path: scenario.path,
    connections: Number(flags.connections),
    durationMs,
    headers: scenario.headers(),
  }
  const before = cpuMicroseconds(measured.child)
  load.child.send(order)
  const result = await nextMessage<LoadResult & { error?: string }>(load.child)
  const cpuMicros = cpuMicroseconds(measured.child) - before
  if (result.error !== undefined) throw new Error(`${scenario.name}: ${result.error}`)
  const wrong = Object.entries(result.statuses).filter(([status]) => status !== '200')
  if (wrong.length > 0)
    throw new Error(`${scenario.name}: answers other than 200: ${JSON.stringify(result.statuses)}`)
  return { ...result, cpuMicros }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

const folder = mkdtempSync(path.join(tmpdir(), 'ostiary-bench-'))
const server = await startAuthorizationServer()
const upstream = await startScript('upstream.ts')
const redis = await startRedis(await freePort())
writeManifests(folder, {
  upstream: upstream.port,
  issuer: server.issuer,
  ...(redis !== undefined && { redis: redis.port }),
})
const floor = await startScript('floor.ts', String(upstream.port))
const ostiary = await startOstiary(folder, { http: await freePort(), admin: await freePort() })
const load = await startScript('load.ts')

try {
  const origin = `http://127.0.0.1:${ostiary.port}`
  const every = scenarios(server, {
    login: await login(origin, '/login', server),
    ...(redis !== undefined && { redis: await login(origin, '/redis', server) }),
  })
  const all = every.filter(({ name, target }) => target === 'floor' || name.includes(flags.only))
  const samples = new Map(all.map((each) => [each.name, [] as Sample[]]))
  for (let round = 0; round <= Number(flags.rounds); round++) {
    process.stderr.write(round === 0 ? 'warm-up\n' : `round ${round} of ${flags.rounds}\n`)
    for (const scenario of all) {
      const measured = scenario.target === 'floor' ? floor : ostiary
      const taken = await sample(scenario, measured, load, Number(flags.seconds) * 1000)
      if (round > 0) samples.get(scenario.name)!.push(taken)
    }
  }
  const rows = all.map(({ name, target }) => {
    const taken = samples.get(name)!
    return {
      scenario: name,
      cpuMicrosPerRequest: median(taken.map((each) => each.cpuMicros / each.requests)),
      requestsPerSecond: median(taken.map((each) => (each.requests / each.durationMs) * 1000)),
      p50Ms: median(taken.map((each) => each.p50Ms)),
      p99Ms: median(taken.map((each) => each.p99Ms)),
      memoryMiB: residentMebibytes(target === 'floor' ? floor.child : ostiary.child),
    }
  })
  const floorMicros = rows[0]!.cpuMicrosPerRequest
  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, Node ${process.version}, ${flags.connections} connections`,
  )
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.scenario,
        {
          'CPU µs/request': Number(row.cpuMicrosPerRequest.toFixed(1)),
          '× floor': Number((row.cpuMicrosPerRequest / floorMicros).toFixed(2)),
          'requests/s': Math.round(row.requestsPerSecond),
          'p50 ms': Number(row.p50Ms.toFixed(2)),
          'p99 ms': Number(row.p99Ms.toFixed(2)),
          'memory MiB': Math.round(row.memoryMiB),
        },
      ]),
    ),
  )
  if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify(rows, null, 2))
} finally {
  for (const { child } of [load, ostiary, floor, upstream, ...(redis ? [redis] : [])]) child.kill()
  server.close()
  rmSync(folder, { recursive: true })
}
