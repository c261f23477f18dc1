import { describe, expect, test } from 'vitest'
import type { KeySet } from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { HostileAuthorizationServer } from '../../support/hostile-authorization-server.ts'
import { openClient, startHostile, valueOf } from './open-client.ts'

function ids({ keys }: KeySet): unknown[] {
  return keys.map(({ kid }) => kid)
}

function serveKey(hostile: HostileAuthorizationServer, kid: string): void {
  hostile.behave('keys', () => ({ body: { keys: [{ kty: 'OKP', kid, crv: 'Ed25519', x: kid }] } }))
}

async function setup() {
  const own = await startHostile()
  const extra = await startHostile()
  serveKey(own, 'own')
  serveKey(extra, 'extra')
  const server = own.asPolicyServer({ extraJwksUris: [`${extra.issuer}/v1/keys`] })
  return { own, extra, server, ...openClient() }
}

describe('extraJwksUris', () => {
  test('count beside the issuer’s own keys', async () => {
    const { client, server } = await setup()
    expect(ids(valueOf(await client.keys(server)))).toEqual(['own', 'extra'])
  })

  test('an id that one of them knows makes none of them be fetched again', async () => {
    const { client, server, own, extra } = await setup()
    await client.keys(server)
    await client.keys(server, 'extra')
    expect([own.count('keys'), extra.count('keys')]).toEqual([1, 1])
    await client.keys(server, 'unknown')
    expect([own.count('keys'), extra.count('keys')]).toEqual([2, 2])
  })

  test('one that is down takes no other along, but nobody calls its keys unknown', async () => {
    const { client, server, own, extra, clock } = await setup()
    extra.behave('keys', () => ({ status: 503 }))
    expect(ids(valueOf(await client.keys(server)))).toEqual(['own'])
    expect(ids(valueOf(await client.keys(server, 'own')))).toEqual(['own'])
    expect(await client.keys(server, 'extra')).toMatchObject({ kind: 'unavailable' })
    serveKey(extra, 'extra')
    clock.advance(31_000)
    expect(ids(valueOf(await client.keys(server, 'extra')))).toEqual(['own', 'extra'])
    own.behave('keys', () => ({ status: 503 }))
    extra.behave('keys', () => ({ status: 503 }))
    clock.advance(31_000)
    expect(ids(valueOf(await client.keys(server, 'unknown')))).toEqual(['own', 'extra'])
  })

  test('none at all is unavailable', async () => {
    const { client, server, own, extra } = await setup()
    for (const each of [own, extra]) each.behave('keys', () => ({ status: 503 }))
    expect(await client.keys(server)).toMatchObject({ kind: 'unavailable' })
  })
})

describe('the age of keys', () => {
  test('grows while they cannot be fetched, and starts anew when they were', async () => {
    const { client, server, own, extra, clock } = await setup()
    expect(client.keyAges().size).toBe(0)
    await client.keys(server)
    expect(client.keyAges().get(own.issuer)).toBe(0)
    for (const each of [own, extra]) each.behave('keys', () => 'drop')
    clock.advance(86_400_000)
    expect((await client.keys(server)).ok).toBe(true)
    expect(client.keyAges().get(own.issuer)).toBe(86_400)
    serveKey(own, 'own')
    serveKey(extra, 'extra')
    clock.advance(31_000)
    await client.keys(server, 'unknown')
    expect(client.keyAges().get(own.issuer)).toBe(0)
  })
})

test('the policy says how long unknown key ids cause no further fetch', async () => {
  const hostile = await startHostile()
  const { client, clock } = openClient()
  const server = hostile.asPolicyServer({ missingKeyPauseMs: 300_000 })
  await client.keys(server)
  await client.keys(server, 'unknown')
  clock.advance(299_999)
  await client.keys(server, 'unknown')
  expect(hostile.count('keys')).toBe(2)
  clock.advance(1)
  await client.keys(server, 'unknown')
  expect(hostile.count('keys')).toBe(3)
})
