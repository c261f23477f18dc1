import { describe, expect, test, vi } from 'vitest'
import { WarmUp } from '../../../src/auth/authorization-server/warm-up.ts'
import { APP, openClient, startHostile } from './open-client.ts'

const GRANT = { client: APP, scopes: [], audience: [] } as const

describe('a call', () => {
  test('is told with endpoint, outcome and duration, and without credentials', async () => {
    const hostile = await startHostile()
    const { client, clock, calls } = openClient()
    const server = hostile.asPolicyServer()
    hostile.behave('introspect', () => {
      clock.advance(250)
      return { status: 503 }
    })
    hostile.behave('token', () => ({ status: 401, body: { error: 'invalid_client' } }))
    await client.clientCredentialsGrant(server, GRANT)
    await client.introspect(server, { client: APP, token: 'the-token', hint: '' })
    const common = { serverId: 'hostile', issuer: hostile.issuer }
    expect(calls).toEqual([
      { ...common, endpoint: 'discovery', outcome: 'ok', durationMs: 0 },
      { ...common, endpoint: 'token', outcome: 'refused', durationMs: 0 },
      { ...common, endpoint: 'introspection', outcome: 'unavailable', durationMs: 250 },
    ])
  })

  test('is answered though the hook throws', async () => {
    const hostile = await startHostile()
    const { client } = openClient({
      onCall: () => {
        throw new Error('broken metric')
      },
    })
    expect((await client.metadata(hostile.asPolicyServer())).ok).toBe(true)
  })

  test('is answered after the client was closed', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    await client.metadata(server)
    await client.close()
    expect((await client.clientCredentialsGrant(server, GRANT)).ok).toBe(false)
  })
})

describe('warming up', () => {
  test('fetches metadata and keys of each server once, in the background', async () => {
    const hostile = await startHostile()
    const { client, calls } = openClient()
    const servers = ['a', 'b', 'a', 'c', 'd', 'e', 'f'].map((id) => hostile.asPolicyServer({ id }))
    new WarmUp(client).update(servers)
    await expect.poll(() => calls.length).toBe(12)
    expect(hostile.count('discovery')).toBe(6)
    expect(hostile.count('keys')).toBe(6)
    await client.keys(hostile.asPolicyServer({ id: 'f' }))
    expect(hostile.count('keys')).toBe(6)
  })

  test('is not held up by a server that is down', async () => {
    const hostile = await startHostile()
    const { client, calls } = openClient()
    const down = hostile.asPolicyServer({ id: 'down', discoveryUrls: ['http://127.0.0.1:1/x'] })
    new WarmUp(client).update([down, hostile.asPolicyServer()])
    await expect.poll(() => calls.filter(({ outcome }) => outcome === 'ok').length).toBe(2)
  })
  test('asks a server that is down again only after a snapshot without it', async () => {
    const hostile = await startHostile()
    const { client, clock } = openClient()
    const asked = vi.spyOn(client, 'metadata')
    const down = hostile.asPolicyServer({ id: 'down', discoveryUrls: ['http://127.0.0.1:1/x'] })
    const warmUp = new WarmUp(client)
    const timesAsked = (id: string): number => asked.mock.calls.filter(([server]) => server.id === id).length
    for (const id of ['a', 'b', 'c']) {
      clock.advance(600_000)
      warmUp.update([down, hostile.asPolicyServer({ id })])
      await expect.poll(() => timesAsked(id)).toBe(1)
    }
    expect(timesAsked('down')).toBe(1)
    warmUp.update([])
    warmUp.update([down])
    await expect.poll(() => timesAsked('down')).toBe(2)
  })
})
