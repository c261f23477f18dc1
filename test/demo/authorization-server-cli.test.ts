import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../deploy/demo/authorization-server/main.ts', import.meta.url))

function start(port: number) {
  return spawn(process.execPath, [MAIN, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] })
}

test('runs alone until it is interrupted, and prints nothing but where it is', async () => {
  const child = start(0)
  const exited = once(child, 'exit')
  const errors = text(child.stderr)
  const [printed] = (await once(child.stdout, 'data')) as [Buffer]
  const issuer = /http:\/\/localhost:\d+\/oauth2\/default/.exec(printed.toString())?.[0]
  expect((await fetch(`${issuer}/v1/keys`)).status).toBe(200)
  child.kill('SIGINT')
  expect(await exited).toEqual([0, null])
  expect(await errors).toBe('')
})

test('says so when the port is taken', async () => {
  const stranger = createServer()
  await new Promise<void>((resolve) => stranger.listen({ port: 0, host: '127.0.0.1' }, resolve))
  try {
    const child = start((stranger.address() as AddressInfo).port)
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect(errors).toContain('the port is taken; choose another with --port')
    expect(code).toBe(1)
  } finally {
    stranger.close()
  }
})
