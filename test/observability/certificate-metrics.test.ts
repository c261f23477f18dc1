import { Registry } from 'prom-client'
import { generate } from 'selfsigned'
import { expect, test } from 'vitest'
import { createCertificateMetrics } from '../../src/observability/certificate-metrics.ts'

async function certificate(end: string): Promise<{ readonly certificateChainPem: string }> {
  const notBeforeDate = new Date('2026-01-01T00:00:00Z')
  const options = { keyType: 'ec', notBeforeDate, notAfterDate: new Date(end) } as const
  const { cert } = await generate([{ name: 'commonName', value: 'example.com' }], options)
  return { certificateChainPem: cert }
}

const NAME = 'ostiary_tls_cert_not_after_timestamp_seconds'

test('tell when each certificate that is served ends, and forget those that are not any more', async () => {
  const registry = new Registry()
  const take = createCertificateMetrics(registry)
  const lines = async () =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${NAME}{`))
      .toSorted()
  const [first, renewed, issuer] = await Promise.all(
    ['2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z', '2036-01-01T00:00:00Z'].map(certificate),
  )
  const chain = { certificateChainPem: `${first!.certificateChainPem}\n${issuer!.certificateChainPem}` }
  take({ 'shop/web': chain, 'blog/web': first! })
  expect(await lines()).toEqual([
    `${NAME}{namespace="blog",name="web"} 1798761600`,
    `${NAME}{namespace="shop",name="web"} 1798761600`,
  ])
  take({ 'shop/web': renewed! })
  expect(await lines()).toEqual([`${NAME}{namespace="shop",name="web"} 1830297600`])
  take({})
  expect(await lines()).toEqual([])
})
