import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { errorCode } from './listen-on-loopback.ts'

const FLAGS = {
  'http-port': { type: 'string', default: '8080' },
  'https-port': { type: 'string', default: '8443' },
  'admin-port': { type: 'string', default: '10254' },
  'dashboard-port': { type: 'string', default: '10255' },
  'authorization-server-port': { type: 'string', default: '9000' },
  'echo-port': { type: 'string', default: '9001' },
  workers: { type: 'string' },
} as const

const PORT_FLAGS = [
  'http-port',
  'https-port',
  'admin-port',
  'dashboard-port',
  'authorization-server-port',
  'echo-port',
] as const

type PortFlag = (typeof PORT_FLAGS)[number]

/** Where everything listens. */
export interface DemoSettings {
  readonly httpPort: number
  readonly httpsPort: number
  readonly adminPort: number
  readonly dashboardPort: number
  readonly authorizationServerPort: number
  readonly echoPort: number
  /** Proxy threads; undefined leaves it to Ostiary. */
  readonly workers: string | undefined
}

/** A reason why the demo cannot start, for the person who starts it. */
export class DemoError extends Error {}

/**
 * Reads the flags; a port 0 becomes a free one.
 *
 * @throws {DemoError} For an unknown flag, a value that is no port, and a port that is taken.
 */
export async function readDemoSettings(args: readonly string[]): Promise<DemoSettings> {
  const values = readFlags(args)
  const ports = new Map<PortFlag, number>()
  for (const flag of PORT_FLAGS) {
    let port = await freePort(flag, values[flag])
    while (values[flag] === '0' && [...ports.values()].includes(port)) port = await freePort(flag, '0')
    ports.set(flag, port)
  }
  const port = (flag: PortFlag): number => ports.get(flag) ?? 0
  return {
    httpPort: port('http-port'),
    httpsPort: port('https-port'),
    adminPort: port('admin-port'),
    dashboardPort: port('dashboard-port'),
    authorizationServerPort: port('authorization-server-port'),
    echoPort: port('echo-port'),
    workers: values.workers,
  }
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values
  } catch (error) {
    const flags = Object.keys(FLAGS).map((flag) => `--${flag}`)
    throw new DemoError(`${error instanceof Error ? error.message : ''}\nFlags: ${flags.join(', ')}`, {
      cause: error,
    })
  }
}

/** Binds the port on every address, as a stranger may hold it on one alone, and lets go of it again. */
async function freePort(flag: PortFlag, value: string): Promise<number> {
  const wanted = Number(value)
  if (!/^\d+$/.test(value) || wanted > 65_535) throw new DemoError(`--${flag} ${value}: not a port`)
  let port = wanted
  for (const host of ['127.0.0.1', '::1', '::']) port = await tryPort(flag, port, host)
  return port
}

async function tryPort(flag: PortFlag, port: number, host: string): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', (error) => {
    // No IPv6 on this machine: nothing to collide with.
    if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(errorCode(error) ?? '')) resolve(port)
    else reject(new DemoError(portTaken(flag, port, errorCode(error)), { cause: error }))
  })
  server.listen({ port, host }, () => {
    const address = server.address()
    const bound = typeof address === 'object' && address ? address.port : port
    server.close(() => resolve(bound))
  })
  return promise
}

function portTaken(flag: PortFlag, port: number, code = 'error'): string {
  const why = code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be used (${code})`
  return `Port ${port} ${why}. Stop what uses it, or choose another: npm run demo -- --${flag} ${port + 1}`
}
