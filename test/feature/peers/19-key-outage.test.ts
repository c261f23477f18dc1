import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../../deploy/demo/authorization-server/authorization-server.ts'
import { startEcho } from '../../../deploy/demo/echo-upstream.ts'
import { createControlPlaneMetrics } from '../../../src/observability/control-plane-metrics.ts'
import { ingress, oidcPlugin, service, yaml } from '../../support/manifests.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { startOstiary } from '../../support/ostiary.ts'

const HOUR_MS = 3_600_000

test('peers 19: with the keys failing for a day known ones still verify, and a gauge shows their age', async () => {
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  const echo = await startEcho({ port: 0 })
  onTestFinished(() => echo.close())
  onTestFinished(() => authorizationServer.close())
  const clock = new ManualClock(Date.now())
  const { issuer, faults } = authorizationServer
  const plugin = oidcPlugin('api', { issuer, authMethods: ['bearer'], audience: ['api://default'] })
  const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'api' } })
  const ostiary = await startOstiary(yaml(...service('echo', echo.port), plugin, guarded), { clock })
  const now = Math.floor(clock.now() / 1000)
  let serial = 0
  const statusOfNewToken = async (header?: Record<string, string>): Promise<number> => {
    serial += 1
    const claims = { iss: issuer, aud: 'api://default', sub: 's', jti: serial, iat: now, exp: now + 172_800 }
    const token = await authorizationServer.sign(claims, header)
    const response = await fetch(ostiary.url, { headers: { authorization: `Bearer ${token}` } })
    await response.body?.cancel()
    return response.status
  }
  const registry = new Registry()
  const metrics = createControlPlaneMetrics(registry, 'test', { keyAges: () => ostiary.keyAges() })
  metrics.published(1, ostiary.result().table)
  const age = async (): Promise<number> => {
    const line = `ostiary_oidc_jwks_age_seconds{issuer="${issuer}"} `
    const found = (await registry.metrics()).split('\n').find((each) => each.startsWith(line))
    return Number(found?.slice(line.length))
  }

  expect(await statusOfNewToken()).toBe(200)
  expect(await age()).toBe(0)
  const outages: readonly (() => void | Promise<void>)[] = [
    () => faults.answer('keys', { status: 500 }),
    () => faults.answer('keys', { status: 200, body: { keys: [] } }),
    () => faults.answer('keys', { status: 200, body: '<html></html>' }),
    () => faults.down('refused'),
  ]
  for (const [index, outage] of outages.entries()) {
    await outage()
    for (let hour = 0; hour < 6; hour += 1) {
      clock.advance(HOUR_MS)
      expect(await statusOfNewToken()).toBe(200)
    }
    expect(await age()).toBe((index + 1) * 6 * 3600)
  }
  expect(await statusOfNewToken({ kid: 'unknown' })).toBe(401)

  faults.clear()
  await faults.up()
  clock.advance(31_000)
  expect(await statusOfNewToken({ kid: 'unknown' })).toBe(401)
  expect(await age()).toBe(0)
})
