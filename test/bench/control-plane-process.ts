import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { residentMebibytes } from './processes.ts'

/** A line that Ostiary logged. */
interface LogLine {
  /** RFC 3339. */
  readonly time: string
  readonly msg: string
  readonly [field: string]: unknown
}

/** `ostiary run` with two proxy threads on a cluster, and what it logs. */
export class ControlPlaneProcess {
  readonly startedAt = Date.now()
  readonly #child: ChildProcess
  readonly #lines: LogLine[] = []
  readonly #exited: Promise<unknown>
  #wake: () => void = () => {}

  /** @param main The file that Node runs. */
  constructor(main: string, kubeconfig: string, flags: readonly string[] = []) {
    const ports = ['http', 'https', 'admin'].flatMap((name) => [`--${name}-port`, '0'])
    const fixed = ['--kubeconfig', kubeconfig, '--workers', '2', '--leader-elect', 'false']
    const log = ['--log-level', 'debug', '--log-format', 'json', '--allow-loopback-issuers']
    this.#child = spawn(process.execPath, [main, 'run', ...fixed, ...log, ...ports, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#exited = once(this.#child, 'exit')
    const { stdout } = this.#child
    if (stdout === null) throw new TypeError('the output is piped')
    createInterface({ input: stdout }).on('line', (line) => this.#take(line))
    void this.#exited.then(() => this.#wake())
  }

  /** The first line with this message, once it is there. */
  async line(message: string): Promise<LogLine> {
    for (;;) {
      const found = this.#lines.find(({ msg }) => msg === message)
      if (found !== undefined) return found
      if (this.#child.exitCode !== null)
        throw new Error(`ostiary ended: ${JSON.stringify(this.#lines.slice(-5))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** All lines with this message so far. */
  lines(message: string): readonly LogLine[] {
    return this.#lines.filter(({ msg }) => msg === message)
  }

  /** Milliseconds from the start to the first line with this message. */
  async millisecondsTo(message: string): Promise<number> {
    return Date.parse((await this.line(message)).time) - this.startedAt
  }

  async port(): Promise<number> {
    return Number((await this.line('listening'))['http'])
  }

  residentMiB(): number {
    return residentMebibytes(this.#child)
  }

  /** The most that was ever resident (proc(5), VmHWM). */
  peakMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #take(text: string): void {
    const line = JSON.parse(text) as LogLine
    this.#lines.push(line)
    if (line['level'] === 'error') process.stderr.write(`${text}\n`)
    this.#wake()
  }
}
