import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Sends the process SIGTERM as soon as it begins to load the file of this name. */
function signalOnLoad(file: string): string {
  const code = `
    import { registerHooks } from 'node:module'
    registerHooks({
      load(url, context, next) {
        if (url.endsWith('/${file}')) process.kill(process.pid, 'SIGTERM')
        return next(url, context)
      },
    })`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

interface Started {
  readonly child: ChildProcess
  /** Resolves when the log holds this. */
  readonly logged: (text: string) => Promise<void>
  /** Where it listens, once that is logged. */
  readonly port: (listener: 'http' | 'admin') => number
}

function start(args: readonly string[], nodeArgs: readonly string[] = []): Started {
  const ports = ['http', 'https', 'admin', 'dashboard'].flatMap((name) => [`--${name}-port`, '0'])
  const all = [...nodeArgs, MAIN, 'run', '--workers', '1', ...ports, ...args]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const logged = async (text: string): Promise<void> => {
    while (!log.includes(text)) await once(child.stdout, 'data')
  }
  const port = (listener: 'http' | 'admin'): number =>
    Number((listener === 'http' ? /"http":(\d+)/ : /"address":"http:\/\/[^"]*:(\d+)"/).exec(log)?.[1])
  return { child, logged, port }
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ostiary-main-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

test('a SIGTERM while the program is still being loaded ends it as a later one does', async () => {
  const { child, logged } = start(
    ['--manifests', await temporaryDirectory()],
    ['--import', signalOnLoad('cli.ts')],
  )
  const exit = once(child, 'exit')
  await logged('stopping')
  expect(await exit).toEqual([0, null])
})

test('readiness fails first, everything is served for the shutdown delay, and a second signal ends it at once', async () => {
  const directory = await temporaryDirectory()
  const { child, logged, port } = start(['--manifests', directory, '--shutdown-delay', '1h'])
  const exit = once(child, 'exit')
  await logged('snapshot published')
  const probes = `http://127.0.0.1:${port('admin')}`
  expect((await fetch(`${probes}/readyz`)).status).toBe(200)
  child.kill('SIGTERM')
  await logged('stopping')
  const unready = await fetch(`${probes}/readyz`)
  expect([unready.status, await unready.text()]).toEqual([503, 'stopping\n'])
  expect((await fetch(`${probes}/livez`)).status).toBe(200)
  expect((await fetch(`${probes}/startupz`)).status).toBe(200)
  const served = await fetch(`http://127.0.0.1:${port('http')}/`)
  expect([served.status, served.headers.get('connection')]).toEqual([404, 'keep-alive'])
  child.kill('SIGINT')
  expect(await exit).toEqual([130, null])
})

test('after the shutdown delay it drains and ends by itself', async () => {
  const args = ['--manifests', await temporaryDirectory(), '--shutdown-delay', '10ms']
  const { child, logged } = start([...args, '--drain-timeout', '1s'])
  const exit = once(child, 'exit')
  await logged('snapshot published')
  child.kill('SIGTERM')
  await logged('draining')
  expect(await exit).toEqual([0, null])
})

test('a SIGTERM ends the wait for an API server that is away', async () => {
  const kubeconfig = path.join(await temporaryDirectory(), 'kubeconfig')
  const config = {
    clusters: [{ name: 'away', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'away', context: { cluster: 'away', user: 'nobody' } }],
    users: [{ name: 'nobody', user: {} }],
    'current-context': 'away',
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  const { child, logged } = start(['--kubeconfig', kubeconfig])
  const exit = once(child, 'exit')
  await logged('trying again')
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
})
