import { Command } from 'commander'
import { expect, test } from 'vitest'
import { clientLimitsOf } from '../../src/commands/client-limits.ts'
import { CLIENT_LIMITS } from '../../src/proxy/client-limits.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { runOptions } from '../../src/settings/run-options.ts'

function limits(...flags: string[]) {
  const command = new Command().exitOverride()
  for (const option of runOptions()) command.addOption(option)
  return clientLimitsOf(readSettings(command.parse(flags, { from: 'user' }).opts()))
}

test('without flags they are the proxy’s own, as the help says', () => {
  expect(limits()).toEqual(CLIENT_LIMITS)
  const help = runOptions().map(({ description }) => description)
  for (const text of ['65536', '100', '16384', '30s', '60s', '75s', '20000', '10000']) {
    expect(help.some((each) => each.includes(`(default: ${text})`))).toBe(true)
  }
})

test('each flag sets its own', () => {
  const flags = {
    '--max-header-bytes': '8192',
    '--max-header-count': '7',
    '--max-url-bytes': '300',
    '--header-timeout': '2s',
    '--body-timeout': '3s',
    '--keep-alive-timeout': '1m',
    '--max-connections': '0',
    '--max-requests': '5',
  }
  expect(limits(...Object.entries(flags).flat())).toEqual({
    maxHeaderBytes: 8192,
    maxHeaderCount: 7,
    maxUrlBytes: 300,
    headerTimeoutMs: 2000,
    bodyTimeoutMs: 3000,
    keepAliveMs: 60_000,
    maxConnections: 0,
    maxRequests: 5,
  })
})

test.each([
  ['--max-header-bytes', '100'],
  ['--max-header-count', '-1'],
  ['--max-url-bytes', '10'],
  ['--header-timeout', '0'],
  ['--body-timeout', 'soon'],
  ['--keep-alive-timeout', '2h'],
  ['--max-connections', '1.5'],
  ['--max-requests', 'many'],
])('%s %s is refused by its name', (flag, value) => {
  expect(() => limits(flag, value)).toThrow(new RegExp(`^${flag}: must be`))
})
