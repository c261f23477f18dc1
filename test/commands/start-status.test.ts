import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { openSource } from '../../src/commands/open-source.ts'
import { ServerFindings } from '../../src/commands/server-findings.ts'
import { startStatus } from '../../src/commands/start-status.ts'
import { readSettings } from '../../src/settings/read-settings.ts'

test('with manifests from files there is no cluster to write to, and nobody competes for a lead', async () => {
  const settings = readSettings({ manifests: import.meta.dirname })
  const log = pino({ level: 'silent' })
  const { signal } = new AbortController()
  const opened = await openSource(settings, log, signal)
  expect(opened.cluster).toBeUndefined()
  // Resolves without the signal: nothing was begun.
  const certificates = { diagnostics: () => [] }
  const registry = new Registry()
  const serverFindings = new ServerFindings()
  await startStatus({ settings, log, opened, serverFindings, certificates, registry }, signal).stopped
  expect(await registry.metrics()).not.toContain('ostiary_leader')
  await opened.close()
})
