import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** `ostiary run --manifests` as a process of its own, on free ports; killed when the test ends. */
export interface OstiaryFileProcess {
  readonly port: number
  readonly adminPort: number
  readonly dashboardPort: number
  /** The exit code, once it is gone. */
  readonly exited: Promise<number | null>
  terminate(): void
  /** What it has written to standard output, once that holds this. */
  logged(text: string): Promise<string>
  /** Reads no more of its standard output; it goes on where it is called again. */
  readonly output: { pause(): void; resume(): void }
  isReady(): Promise<boolean>
}

/** Starts it; resolves when its first snapshot is live. */
export async function startOstiaryProcess(
  manifests: string,
  ...args: readonly string[]
): Promise<OstiaryFileProcess> {
  const ports = ['http', 'https', 'admin', 'dashboard'].flatMap((name) => [`--${name}-port`, '0'])
  const all = [MAIN, 'run', '--manifests', manifests, '--workers', '1', ...ports, ...args]
  const child: ChildProcess = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  let log = ''
  const { stdout } = child
  if (stdout === null) throw new TypeError('no output')
  stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const logged = async (text: string): Promise<string> => {
    while (!log.includes(text)) await once(stdout, 'data')
    return log
  }
  await logged('snapshot published')
  const portOf = (message: string): number =>
    Number(new RegExp(`"address":"http://[^"]*:(\\d+)[^"]*","msg":"${message}`).exec(log)?.[1])
  const adminPort = portOf('serving probes')
  return {
    port: Number(/"http":(\d+)/.exec(log)?.[1]),
    adminPort,
    dashboardPort: portOf('serving (?:the dashboard|debug)'),
    exited,
    logged,
    output: { pause: () => void stdout.pause(), resume: () => void stdout.resume() },
    terminate: () => void child.kill('SIGTERM'),
    isReady: async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok,
  }
}
