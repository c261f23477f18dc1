import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { demoManifests } from '../../deploy/demo/demo-manifests.ts'
import { readDemoSettings } from '../../deploy/demo/demo-settings.ts'
import { check } from '../../src/commands/check.ts'
import { readSettings } from '../../src/settings/read-settings.ts'

const DEFAULTS = {
  httpPort: 8080,
  httpsPort: 8443,
  adminPort: 10_254,
  dashboardPort: 10_255,
  authorizationServerPort: 9000,
  echoPort: 9001,
  workers: undefined,
}

test('the manifests compile without a single remark', async () => {
  const { directory } = await demoManifests(DEFAULTS)
  let printed = ''
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      printed += chunk.toString()
      done()
    },
  })
  check(directory, readSettings({}), output)
  expect(printed).toBe('0 errors, 0 warnings, 0 notes\n')
})

test('on their own ports the manifests are used in place, so that editing them is live', async () => {
  const { directory, remove } = await demoManifests({ ...DEFAULTS, httpPort: 1, adminPort: 2 })
  expect(directory).toMatch(/deploy\/demo\/manifests$/)
  await remove()
  expect(existsSync(directory)).toBe(true)
})

test('on other ports a copy says the right ones, and is removed', async () => {
  const { directory, remove } = await demoManifests({
    ...DEFAULTS,
    authorizationServerPort: 19_000,
    echoPort: 19_001,
  })
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  expect(await read('app.yaml')).toContain('issuer: http://localhost:19000/oauth2/default')
  expect(await read('upstream.yaml')).toContain('port: 19001')
  for (const name of ['app.yaml', 'orders.yaml', 'reports.yaml', 'upstream.yaml']) {
    expect(await read(name)).not.toMatch(/\b(9000|9001)\b/)
  }
  await remove()
  expect(existsSync(directory)).toBe(false)
})

const FREE = ['http', 'https', 'admin', 'dashboard', 'authorization-server', 'echo'].flatMap((name) => [
  `--${name}-port`,
  '0',
])

test('port 0 becomes a free port', async () => {
  const { workers: _, ...settings } = await readDemoSettings(FREE)
  const ports = new Set(Object.values(settings))
  expect(ports.size).toBe(6)
  expect(ports).not.toContain(0)
})

test('a taken port is told with the flag that chooses another', async () => {
  const stranger = createServer()
  await new Promise<void>((resolve) => stranger.listen({ port: 0, host: '127.0.0.1' }, resolve))
  const { port } = stranger.address() as AddressInfo
  try {
    await expect(readDemoSettings([...FREE, '--echo-port', String(port)])).rejects.toThrow(
      `Port ${port} is taken by another process. Stop what uses it, or choose another: npm run demo -- --echo-port ${port + 1}`,
    )
  } finally {
    stranger.close()
  }
})

test.each([[['--http-port', 'eighty']], [['--http-port', '70000']], [['--htp-port', '1']]])(
  '%j is refused',
  async (args) => {
    await expect(readDemoSettings([...FREE, ...args])).rejects.toThrow(/not a port|--http-port/)
  },
)
