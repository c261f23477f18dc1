import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A process under measurement. */
export interface Measured {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts a script of this folder that reports its port as its first message. */
export async function startScript(name: string, ...args: string[]): Promise<Measured> {
  const child = fork(path.join(import.meta.dirname, name), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const { port } = await nextMessage<{ port: number }>(child)
  return { child, port }
}

/** Nothing is written of requests. */
const UNRECORDED = ['--access-log', 'false', '--audit-log', 'false']

/**
 * Starts Ostiary on a directory, and waits until it is ready.
 *
 * @param main The file that Node runs.
 * @param workers Proxy threads.
 * @param recording Flags of what is written of requests.
 */
export async function startOstiary(
  main: string,
  manifests: string,
  ports: { http: number; admin: number },
  workers = 1,
  recording: readonly string[] = UNRECORDED,
): Promise<Measured> {
  const flags = [
    '--manifests',
    manifests,
    '--workers',
    String(workers),
    '--bind-address',
    '127.0.0.1',
    '--https-port',
    '0',
  ]
  const listen = [
    '--http-port',
    String(ports.http),
    '--admin-port',
    String(ports.admin),
    '--log-level',
    'error',
    '--access-log',
    'false',
  ]
  const child = spawn(process.execPath, [main, 'run', ...flags, ...listen, ...recording], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Read as a node reads it, through a pipe.
  child.stdout.resume()
  for (let attempt = 0; attempt < 600; attempt++) {
    const ready = await fetch(`http://127.0.0.1:${ports.admin}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return { child, port: ports.http }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill()
  throw new Error('ostiary did not become ready within a minute')
}

/** A redis-server in memory; `undefined` where there is none on this machine. */
export async function startRedis(port: number): Promise<Measured | undefined> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()]
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined))
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve({ child, port })
    })
  })
}

/** The next message of a child; fails when the child ends instead. */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const done = new AbortController()
  try {
    const message = once(child, 'message', { signal: done.signal })
    const exit = once(child, 'exit', { signal: done.signal })
    const ended = exit.then(([code]) => Promise.reject(new Error(`ended with ${code} before its message`)))
    const [first] = (await Promise.race([message, ended])) as [T]
    return first
  } finally {
    done.abort()
  }
}

/**
 * User and system CPU of a process and its workers so far, in microseconds (proc(5), /proc/PID/stat, fields 14 and 15).
 */
export function cpuMicroseconds(child: ChildProcess): number {
  const TICK_MICROSECONDS = 10_000
  const ticks = family(child).map((fields) => Number(fields[11]) + Number(fields[12]))
  return ticks.reduce((total, each) => total + each, 0) * TICK_MICROSECONDS
}

/** Resident memory of a process and its workers in MiB (proc(5), /proc/PID/stat, field 24, in pages of 4 KiB). */
export function residentMebibytes(child: ChildProcess): number {
  const pages = family(child).map((fields) => Number(fields[21]))
  return pages.reduce((total, each) => total + each, 0) / 256
}

/** The fields of /proc/PID/stat from the third on, of a process and of those that it started. */
function family(child: ChildProcess): (readonly string[])[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(pid))
  const found = all.filter(({ pid }) => pid === child.pid)
  for (const { pid } of found) found.push(...all.filter(({ fields }) => Number(fields[1]) === pid))
  return found.map(({ fields }) => fields)
}

/** Nothing where it has ended meanwhile. */
function statOf(pid: string): { readonly pid: number; readonly fields: readonly string[] }[] {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return [{ pid: Number(pid), fields }]
  } catch {
    return []
  }
}
