import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../src/commands/run.ts'
import { readSettings } from '../../../src/settings/read-settings.ts'
import { startOstiaryProcess } from '../../support/ostiary-file-process.ts'

async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return String((server.address() as AddressInfo).port)
}

test('a port that is taken costs the dashboard and nothing else', async () => {
  const ostiary = await startOstiaryProcess(import.meta.dirname, '--dashboard-port', await takenPort())
  expect(ostiary.dashboardPort).toBeNaN()
  expect(await ostiary.isReady()).toBe(true)
})

test('but nothing begins where the requests of a host would go to a stranger', async () => {
  const settings = readSettings({
    manifests: import.meta.dirname,
    httpPort: '0',
    httpsPort: '0',
    adminPort: '0',
    workers: '1',
    logLevel: 'fatal',
    dashboardPort: await takenPort(),
    dashboardHost: 'ops.test',
    dashboardPlugin: 'ops/staff',
  })
  await expect(run(settings, '0.0.0', new AbortController().signal)).rejects.toMatchObject({
    code: 'ERR_LISTEN',
    message: expect.stringContaining('--dashboard-port') as string,
  })
})
