import { expect, test } from 'vitest'
import { Suite } from './suite.ts'

// oidcc-client-config-certification-test-plan, and what applies of oidcc-client-dynamic-certification-test-plan.

test('oidcc-client-test-discovery-openid-config', async () => {
  const suite = await Suite.start()
  suite.server.behave('discovery', () => ({
    body: { ...suite.server.metadata(), authorization_endpoint: `${suite.server.issuer}/elsewhere?tenant=1` },
  }))
  const location = new URL((await suite.browser().navigate('/app')).headers.get('location') ?? '')
  expect(location.pathname).toMatch(/\/elsewhere$/)
  expect(location.searchParams.get('tenant')).toBe('1')
  expect(suite.server.count('discovery')).toBe(1)
})

test('oidcc-client-test-discovery-jwks-uri-keys', async () => {
  const suite = await Suite.start()
  suite.server.behave('discovery', () => ({
    body: { ...suite.server.metadata(), jwks_uri: `${suite.server.issuer}/of-this-run/v1/keys` },
  }))
  const browser = suite.browser()
  await suite.expectAccepted(await suite.login({}, browser), browser)
  expect(suite.server.count('keys')).toBe(1)
})

test('oidcc-client-test-discovery-issuer-mismatch', async () => {
  const suite = await Suite.start()
  suite.server.behave('discovery', () => ({
    body: { ...suite.server.metadata(), issuer: `${suite.server.issuer}/INVALID` },
  }))
  const answer = await suite.browser().navigate('/app')
  expect([answer.status, answer.headers.get('location')]).toEqual([503, null])
})

test('oidcc-client-test-signing-key-rotation-just-before-signing', async () => {
  const suite = await Suite.start()
  const first = suite.browser()
  await suite.expectAccepted(await suite.login({}, first), first)
  const second = suite.browser()
  const landed = await suite.login(
    {
      beforeSigning: async () => {
        await suite.server.rotateKeys()
      },
    },
    second,
  )
  await suite.expectAccepted(landed, second)
  expect(suite.server.count('keys')).toBe(2)
})

test('oidcc-client-test-signing-key-rotation', async () => {
  const suite = await Suite.start()
  const first = suite.browser()
  await suite.expectAccepted(await suite.login({}, first), first)
  await suite.server.rotateKeys()
  const second = suite.browser()
  await suite.expectAccepted(await suite.login({}, second), second)
  expect(suite.server.count('keys')).toBe(2)
})
