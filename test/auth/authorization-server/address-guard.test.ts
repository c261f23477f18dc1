import type { lookup } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { guardedLookup, noLocalAddress } from '../../../src/auth/authorization-server/address-guard.ts'
import { APP, openClient, reasonOf, startHostile } from './open-client.ts'

describe('noLocalAddress', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '::',
    '::1',
    '[::1]',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:0.0.0.0',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    '100.100.100.200',
    '::ffff:100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '64:ff9b::168.63.129.16',
    'localhost',
    '',
  ])('refuses %s', (address) => {
    expect(noLocalAddress(address)).toBe(false)
  })

  test.each([
    '192.0.2.1',
    '10.0.0.1',
    '169.253.1.1',
    '100.100.100.201',
    '168.63.129.17',
    '2001:db8::1',
    '::ffff:192.0.2.1',
    'fec0::1',
    'fd00::1',
  ])('lets %s pass', (address) => {
    expect(noLocalAddress(address)).toBe(true)
  })
})

/** What a connection would be made to, for a name that resolves to these addresses. */
function resolved(addresses: readonly string[], all: boolean): Promise<unknown> {
  const answers = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  const resolve = ((_name: string, _options: unknown, callback: (...args: unknown[]) => void) =>
    callback(null, answers)) as unknown as typeof lookup
  return new Promise((settle, reject) => {
    guardedLookup(noLocalAddress, resolve)('rebinding.example', { all }, (error, address) => {
      if (error) reject(error)
      else settle(address)
    })
  })
}

describe('the guarded lookup', () => {
  test('drops local addresses from what is connected to', async () => {
    expect(await resolved(['127.0.0.1', '192.0.2.1', '::1'], true)).toEqual([
      { address: '192.0.2.1', family: 4 },
    ])
    expect(await resolved(['127.0.0.1', '192.0.2.1'], false)).toBe('192.0.2.1')
  })

  test.each([true, false])('fails where nothing is left, naming the host only (all: %s)', async (all) => {
    await expect(resolved(['127.0.0.1', '::1'], all)).rejects.toThrow(/^rebinding\.example is a loopback/)
    await expect(resolved([], all)).rejects.toThrow('rebinding.example')
  })
})

describe('a client that may not connect to local addresses', () => {
  test.each([
    ['a literal address', '127.0.0.1', {}],
    ['a name that resolves to one', 'localhost', {}],
    ['an IPv4-mapped literal', '127.0.0.1', { host: '[::ffff:127.0.0.1]' }],
    ['a number', '127.0.0.1', { host: '2130706433' }],
    ['the unspecified address', '127.0.0.1', { host: '0.0.0.0' }],
  ])('does not reach an issuer at %s', async (_name, hostName, { host }: { host?: string }) => {
    const hostile = await startHostile({ hostName })
    const { client } = openClient({ allowLoopback: false })
    const url = (path: string) => hostile.issuer.replace(hostName, host ?? hostName) + path
    const server = hostile.asPolicyServer({
      insecureAllowHttp: true,
      issuer: url(''),
      discoveryUrls: [url('/.well-known/openid-configuration')],
      jwksEndpoint: url('/v1/keys'),
      tokenEndpoint: url('/v1/token'),
    })
    expect(reasonOf(await client.metadata(server))).toContain('loopback, link-local or unspecified')
    expect(reasonOf(await client.keys(server))).toContain('loopback, link-local or unspecified')
    expect(
      reasonOf(await client.clientCredentialsGrant(server, { client: APP, scopes: [], audience: [] })),
    ).toContain('loopback')
    expect(hostile.requests).toEqual([])
  })
})

describe('plain http', () => {
  test('is refused beyond loopback unless the policy allows it', async () => {
    const { client } = openClient()
    const hostile = await startHostile()
    const server = hostile.asPolicyServer({ discoveryUrls: ['http://issuer.example/.well-known/x'] })
    expect(reasonOf(await client.metadata(server))).toBe('the discovery URL is http and not https')
  })

  test.each(['http://127.0.0.1.attacker.example/', 'http://localhost.attacker.example/', 'ftp://127.0.0.1/'])(
    'is not taken for loopback: %s',
    async (url) => {
      const { client } = openClient()
      const hostile = await startHostile()
      const server = hostile.asPolicyServer({ jwksEndpoint: url })
      expect(reasonOf(await client.keys(server))).toMatch(/is http and not https|is neither https nor http/)
    },
  )
})
