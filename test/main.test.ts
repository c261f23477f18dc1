import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
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

test('a SIGTERM while the program is still being loaded ends it as a later one does', async () => {
  const manifests = await mkdtemp(path.join(tmpdir(), 'ostiary-main-'))
  onTestFinished(() => rm(manifests, { recursive: true }))
  const ports = ['http', 'https', 'admin'].flatMap((name) => [`--${name}-port`, '0'])
  const args = ['--import', signalOnLoad('cli.ts'), MAIN, 'run', '--manifests', manifests, ...ports]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(log).toContain('stopping')
})
