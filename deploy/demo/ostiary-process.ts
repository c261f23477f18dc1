import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DemoError, type DemoSettings } from './demo-settings.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** How long Ostiary may take to be ready, and to stop once told to. */
const START_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 8_000

/** Ostiary as a process of its own, as it runs in a cluster. */
export class OstiaryProcess {
  readonly #child: ChildProcess
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<string>

  constructor(settings: DemoSettings, manifests: string) {
    const flags: Readonly<Record<string, string | number | undefined>> = {
      manifests,
      'http-port': settings.httpPort,
      'https-port': settings.httpsPort,
      'admin-port': settings.adminPort,
      'dashboard-port': settings.dashboardPort,
      'drain-timeout': '2s',
      workers: settings.workers,
    }
    const args = Object.entries(flags).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    )
    this.#child = spawn(process.execPath, [MAIN, 'run', ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
    this.exited = once(this.#child, 'exit').then(([code, signal]: unknown[]) => String(code ?? signal))
  }

  /** @throws {DemoError} When it ends, or takes too long, before `/readyz` says yes. */
  async ready(adminPort: number): Promise<void> {
    let exit: string | undefined
    void this.exited.then((value) => (exit = value))
    const deadline = Date.now() + START_LIMIT_MS
    while (Date.now() < deadline) {
      if (exit !== undefined) throw new DemoError(`Ostiary ended (${exit}); its log above says why.`)
      if (await isReady(adminPort)) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new DemoError('Ostiary was not ready after a minute; its log above says why.')
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS)
    await this.exited
    clearTimeout(timer)
  }
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://localhost:${adminPort}/readyz`)
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
