import { expect, test } from 'vitest'
import { run } from '../doctor/setup.ts'
import { runExample } from './example.ts'
import { noCurl, runReadme } from './readme.ts'

const HOST = 'api.example.com'
const CALLER = {
  clientId: 'YOUR_CALLER_CLIENT_ID',
  clientSecret: 'YOUR_CALLER_CLIENT_SECRET',
  grantTypes: ['client_credentials'],
} as const

test.skipIf(noCurl)('each command of the README answers as printed', async () => {
  const example = await runExample('client-credentials', { host: HOST, clients: [CALLER] })
  expect(await runReadme(example)).toBe(4)
})

test.skipIf(noCurl)('a caller whom the access policy refuses the scope gets no further', async () => {
  const example = await runExample('client-credentials', { host: HOST, clients: [{ ...CALLER, scopes: [] }] })
  await expect(runReadme(example)).rejects.toThrow(/HTTP\/\S+ 401/)
})

test('doctor finds nothing wrong', async () => {
  const example = await runExample('client-credentials', { host: HOST, clients: [CALLER] })
  const { failures, printed } = await run('client-credentials', { filename: example.folder })
  expect(failures, printed).toBe(0)
})
