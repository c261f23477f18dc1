import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'

/** What a peer forwards to, and whose tokens it verifies. */
export interface PeerWorld {
  /** An empty folder of its own. */
  readonly folder: string
  readonly upstreamPort: number
  readonly issuer: string
  readonly audience: string
  readonly publicKeyPem: string
  /** JSON Web Key Set. */
  readonly keySet: string
}

/** What the headers of a scenario are. */
export type PeerLoad = 'open' | 'one token' | 'many tokens'

/** One way in of a peer. */
export interface PeerScenario {
  readonly name: string
  readonly path: string
  readonly load: PeerLoad
}

/** A peer that runs on one core, listening on 127.0.0.1. */
export interface RunningPeer {
  readonly version: string
  readonly port: number
  /** Every process that does its work; its workers are found as their children. */
  readonly processes: readonly ChildProcess[]
}

/** Another proxy with which Ostiary is compared. */
export interface Peer {
  readonly scenarios: readonly PeerScenario[]
  /** `undefined` where it is not on this machine. */
  start(world: PeerWorld, port: number): Promise<RunningPeer | undefined>
}

/** Where a program is: the file that a variable names, else on the PATH or in sbin. */
export function findProgram(name: string, variable: string): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
  ]
  const named = process.env[variable]
  const candidates = named === undefined ? folders.map((folder) => path.join(folder, name)) : [named]
  return candidates.find((candidate) => isExecutable(candidate))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Starts a program that serves a port, and waits until it does. What it prints is shown where it fails. */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
  const child = spawn(program, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000)
    })
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) break
    if (await accepts(port)) return child
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill()
  throw new Error(`${path.basename(program)} does not listen on ${port}:\n${output}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
