import { pino } from 'pino'
import { expect, test } from 'vitest'
import { openSource } from '../../src/commands/open-source.ts'
import { ServerFindings } from '../../src/commands/server-findings.ts'
import { startStatus } from '../../src/commands/start-status.ts'
import { readSettings } from '../../src/settings/read-settings.ts'

test('with manifests from files there is no cluster to write to, and nobody competes for a lead', async () => {
  const settings = readSettings({ manifests: import.meta.dirname })
  const logger = pino({ level: 'silent' })
  const { signal } = new AbortController()
  const opened = await openSource(settings, logger, signal)
  expect(opened.cluster).toBeUndefined()
  // Resolves without the signal: nothing was begun.
  await startStatus(settings, logger, opened, new ServerFindings(), signal).stopped
  await opened.close()
})
