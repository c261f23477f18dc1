import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { startEcho } from '../../deploy/demo/echo-upstream.ts'
import { ingress, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'

const CATCH_ALL = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'catch-all' },
  spec: { defaultBackend: { service: { name: 'echo', port: { number: 80 } } } },
}

async function start(
  options: NonNullable<Parameters<typeof startOstiary>[1]>['compile'],
  ...objects: readonly object[]
) {
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  const manifests = yaml(
    ...service('echo', echo.port),
    ingress({ host: 'app.test', path: '/app' }),
    ...objects,
  )
  const ostiary = await startOstiary(manifests, { ...(options && { compile: options }) })
  return async (host: string, path = '/'): Promise<number> => {
    const { statusCode, body } = await request(`${ostiary.url}${path}`, { headers: { host } })
    await body.dump()
    return statusCode
  }
}

test('with --disable-catch-all nobody takes the hosts that nobody names', async () => {
  const open = await start({}, CATCH_ALL)
  expect(await open('stranger.test')).toBe(200)
  const status = await start({ disableCatchAll: true }, CATCH_ALL)
  expect(await status('stranger.test')).toBe(404)
  expect(await status('app.test', '/app')).toBe(200)
})

test('--default-backend-service serves them, and no path of a host that somebody names', async () => {
  const status = await start({
    defaultBackendService: 'default/echo',
    disableCatchAll: true,
    requirePlugin: true,
  })
  expect(await status('stranger.test')).toBe(200)
  expect(await status('app.test', '/elsewhere')).toBe(404)
  // Required plugins are not lifted for anybody else.
  expect(await status('app.test', '/app')).toBe(503)
})

test('a default backend that is missing is unavailable, and the plugins of its Service guard it', async () => {
  const missing = await start({ defaultBackendService: 'default/nowhere' })
  expect(await missing('stranger.test')).toBe(503)
  const guarded = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'guarded', annotations: { 'ostiary.dev/plugins': 'nobody' } },
    spec: { ports: [{ port: 80 }] },
  }
  const status = await start({ defaultBackendService: 'default/guarded' }, guarded)
  expect(await status('stranger.test')).toBe(503)
})
