import { beforeAll, describe, expect, test } from 'vitest'
import { openClient, reasonOf, startHostile } from './open-client.ts'
import { createPrivateCa, type PrivateCa } from './private-ca.ts'

const ADDRESS = { type: 7, ip: '127.0.0.1' } as const

describe('TLS to the authorization server', () => {
  let ours: PrivateCa
  let another: PrivateCa

  beforeAll(async () => {
    ours = await createPrivateCa(ADDRESS)
    another = await createPrivateCa(ADDRESS)
  })

  test('trusts the CA of the policy', async () => {
    const hostile = await startHostile({ tls: ours })
    const { client } = openClient()
    const server = hostile.asPolicyServer({ certificateAuthorities: ours.ca })
    expect((await client.metadata(server)).ok).toBe(true)
    expect((await client.keys(server)).ok).toBe(true)
  })

  test('refuses it without that CA, and with another', async () => {
    const hostile = await startHostile({ tls: ours })
    const { client } = openClient()
    expect(reasonOf(await client.metadata(hostile.asPolicyServer()))).toMatch(
      /cannot be reached: (UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)/,
    )
    const wrong = hostile.asPolicyServer({ id: 'another', certificateAuthorities: another.ca })
    expect((await client.metadata(wrong)).ok).toBe(false)
    expect(hostile.requests).toEqual([])
  })

  test('a CA of one policy is not trusted for another policy of the same host', async () => {
    const hostile = await startHostile({ tls: ours })
    const { client } = openClient()
    expect((await client.metadata(hostile.asPolicyServer({ certificateAuthorities: ours.ca }))).ok).toBe(true)
    expect((await client.metadata(hostile.asPolicyServer({ id: 'no CA' }))).ok).toBe(false)
  })

  test('refuses a certificate of another name', async () => {
    const wrongName = await createPrivateCa({ type: 2, value: 'elsewhere.example' })
    const hostile = await startHostile({ tls: wrongName })
    const { client } = openClient()
    const server = hostile.asPolicyServer({ certificateAuthorities: wrongName.ca })
    expect(reasonOf(await client.metadata(server))).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('verifies nothing with insecureSkipTlsVerify', async () => {
    const hostile = await startHostile({ tls: ours })
    const { client } = openClient()
    const server = hostile.asPolicyServer({ insecureSkipTlsVerify: true })
    expect((await client.metadata(server)).ok).toBe(true)
  })

  test('a CA that is no PEM is unavailable, and no crash', async () => {
    const hostile = await startHostile({ tls: ours })
    const { client } = openClient()
    const pem = '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n'
    for (const certificateAuthorities of ['nonsense', pem]) {
      const server = hostile.asPolicyServer({ id: certificateAuthorities, certificateAuthorities })
      reasonOf(await client.metadata(server))
    }
    expect(hostile.requests).toEqual([])
  })
})
