import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEcho, type Echo } from '../../deploy/demo/echo-upstream.ts'
import { startLoad, type Load } from '../support/constant-load.ts'
import { API_SERVER_REMEDY, hasApiServer, PrivateApiServer } from '../support/private-api-server.ts'
import { requirement } from '../support/requirements.ts'
import { hostAddress } from './host-address.ts'
import { kubectl } from './kubectl.ts'
import { ingressClass, ingressFor, serviceTo } from './objects.ts'
import { OstiaryProcess } from './ostiary-process.ts'

const CLASS = 'ostiary'
const STEADY = 'steady.example.test'
const ADDRESS = '192.0.2.10'
const LIVE = { timeout: 60_000, interval: 100 }
const hostOf = (name: string): string => `${name}.example.test`

const skipped = requirement('etcd or kube-apiserver', hasApiServer(), API_SERVER_REMEDY)

describe.skipIf(skipped)('an API server that is killed and restarted under traffic', () => {
  let api: PrivateApiServer
  let echo: Echo
  let ostiary: OstiaryProcess
  let load: Load

  const applyTo = async (kubeconfig: string, ...objects: readonly object[]): Promise<void> => {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    await kubectl(['--kubeconfig', kubeconfig, 'apply', '-f', '-'], JSON.stringify(list))
  }
  const ingress = (name: string): object => ingressFor(name, { className: CLASS, host: hostOf(name) })
  const live = (name: string, status: number) =>
    expect.poll(async () => (await ostiary.get(hostOf(name), '/')).status, LIVE).toBe(status)
  const hasAddress = (name: string) =>
    expect
      .poll(() => kubectl(['--kubeconfig', api.kubeconfig, 'get', 'ingress', name, '-o', 'json']), LIVE)
      .toContain(ADDRESS)
  const logged = (text: string): number => ostiary.log.split(text).length - 1
  const isReady = async () => expect(await ostiary.probe('/readyz')).toMatchObject({ status: 200 })
  /** Waits, while requests go on and the probes are asked. */
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await isReady()
      expect(await ostiary.probe('/livez')).toMatchObject({ status: 200 })
      await load.turn()
    }
  }

  beforeAll(async () => {
    api = await PrivateApiServer.create()
    await api.start()
    await kubectl(['--kubeconfig', api.kubeconfig, 'apply', '--server-side', '-f', 'crds/'])
    const address = hostAddress()
    echo = await startEcho({ port: 0, host: address })
    await applyTo(
      api.kubeconfig,
      ingressClass(CLASS, 'ostiary.dev/ingress-controller'),
      ...serviceTo('echo', address, echo.port),
      ingress('steady'),
    )
    const flags = ['--kubeconfig', api.kubeconfig, '--publish-status-address', ADDRESS]
    ostiary = new OstiaryProcess(flags)
    await ostiary.ready().catch((error: unknown) => {
      throw new Error(`not ready:\n${ostiary.log}`, { cause: error })
    })
    load = startLoad({
      origin: await ostiary.ports().then(
        ({ http }) =>
          () =>
            `http://127.0.0.1:${http}`,
      ),
      host: STEADY,
    })
  })

  afterAll(async () => {
    ostiary?.kill()
    await echo?.close()
    await api?.close()
  })

  /** After everything else: whatever was done above, no request failed. */
  const nothingFailed = async (): Promise<void> => {
    const { failures, requests } = await load.stop()
    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(1000)
  }

  test('is followed again, and nothing that happened is missed', async () => {
    await live('steady', 200)
    await hasAddress('steady')
    for (const round of [1, 2]) {
      await api.kill()
      await isReady()
      await api.start()
      await applyTo(api.kubeconfig, ingress(`after-${round}`))
      await live(`after-${round}`, 200)
    }
    await isReady()
  })

  test('may be away for longer than the Lease lasts: the lead ends, and what changed meanwhile counts afterwards', async () => {
    const [lost, led] = [logged('no longer leading'), logged('leading: this instance writes status')]
    await api.kill()
    await until(() => logged('no longer leading') > lost)
    expect(logged('the collection cannot be followed')).toBeGreaterThan(0)
    await api.behindTheScenes(async (kubeconfig) => {
      await kubectl(['--kubeconfig', kubeconfig, 'delete', 'ingress', 'after-1'])
      await applyTo(kubeconfig, ingress('meanwhile'))
    })
    // Not before it is told.
    expect((await ostiary.get(hostOf('after-1'), '/')).status).toBe(200)
    await api.start()
    await live('after-1', 404)
    await live('meanwhile', 200)
    await live('after-2', 200)
    await until(() => logged('leading: this instance writes status') > led)
    await hasAddress('meanwhile')
  })

  test('may stall with all connections open: the lead ends, and everything goes on afterwards', async () => {
    const [lost, led] = [logged('no longer leading'), logged('leading: this instance writes status')]
    api.stall()
    await until(() => logged('no longer leading') > lost)
    api.goOn()
    await applyTo(api.kubeconfig, ingress('unstalled'))
    await live('unstalled', 200)
    await until(() => logged('leading: this instance writes status') > led)
    await hasAddress('unstalled')
  })

  test('may take other tokens afterwards: they are read once they are there', async () => {
    await api.kill()
    await api.rotateToken()
    await api.startSilently()
    await until(() => ostiary.log.includes('401 Unauthorized; the credentials are read anew'))
    await isReady()
    await api.handOutToken()
    await applyTo(api.kubeconfig, ingress('rotated'))
    await live('rotated', 200)
    await hasAddress('rotated')
    await nothingFailed()
  })
})
