import { Command } from 'commander'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OstiaryError } from '../../src/errors.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { runOptions } from '../../src/settings/run-options.ts'

function parse(...args: string[]): Record<string, unknown> {
  const command = new Command().exitOverride()
  for (const option of runOptions()) command.addOption(option)
  return command.parse(args, { from: 'user' }).opts()
}

function variable(name: string, value: string): void {
  process.env[name] = value
  onTestFinished(() => {
    Reflect.deleteProperty(process.env, name)
  })
}

describe('settings', () => {
  test('have the documented defaults', () => {
    expect(readSettings(parse())).toMatchObject({
      httpPort: 8080,
      httpsPort: 8443,
      adminPort: 10_254,
      ingressClass: 'ostiary',
      requirePlugin: false,
      allowSharedHosts: false,
      allowExternalName: false,
      allowLoopbackIssuers: false,
      trustedProxies: [],
    })
  })

  test('every flag is a setting', () => {
    const args = runOptions().flatMap((option) => {
      if (!option.flags.includes('<')) return [option.long ?? '']
      const values: Record<string, string> = {
        logLevel: 'info',
        logFormat: 'json',
        defaultPlugins: 'a/b',
        leaderElect: 'false',
        electionId: 'leader',
        publishService: 'a/b',
        publishStatusAddress: '192.0.2.1,lb.example.com',
        shutdownDelay: '5s',
      }
      const fallback = /port|workers|seconds|replicas/i.test(option.attributeName()) ? '1' : 'a/b'
      return [option.long ?? '', values[option.attributeName()] ?? fallback]
    })
    expect(() => readSettings(parse(...args))).not.toThrow()
  })

  test.each([
    ['500ms', 500],
    ['5s', 5000],
    ['5', 5000],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['0', 0],
  ])('the duration %s is %d milliseconds', (text, milliseconds) => {
    expect(readSettings(parse('--shutdown-delay', text)).shutdownDelay).toBe(milliseconds)
  })

  test.each(['', 's', '-5s', '5 s', '1.5s', '5d', '61m', '1e3', 'Infinity'])(
    'the duration %j is refused',
    (text) => {
      expect(() => readSettings(parse('--shutdown-delay', text))).toThrow(
        /--shutdown-delay: must be a duration such as 500ms, 5s or 1m, up to 3600s/,
      )
    },
  )

  test('lists come from commas and from repetition', () => {
    const { trustedProxies } = readSettings(
      parse('--trusted-proxies', '10.0.0.0/8, fd00::/8', '--trusted-proxies', '::1'),
    )
    expect(trustedProxies).toEqual(['10.0.0.0/8', 'fd00::/8', '::1'])
  })

  test('a variable stands for a flag that takes a value', () => {
    variable('OSTIARY_HTTP_PORT', '1234')
    expect(readSettings(parse()).httpPort).toBe(1234)
  })

  test('no variable can open what "false" means to close', () => {
    variable('OSTIARY_ALLOW_SHARED_HOSTS', 'false')
    expect(readSettings(parse()).allowSharedHosts).toBe(false)
  })

  test('every problem is told at once, by flag', () => {
    const read = (): unknown =>
      readSettings(parse('--http-port', '70000', '--workers', 'many', '--default-plugins', 'x'))
    expect(read).toThrow(OstiaryError)
    expect(read).toThrow(
      /--http-port: must be a whole number.*\n--workers: must be a whole number.*\n--default-plugins: /,
    )
  })

  test('proxies are those of the variables that every tool knows, the lower-case one first', () => {
    for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) variable(name, '')
    variable('HTTP_PROXY', 'proxy.example.com:3128')
    variable('HTTPS_PROXY', 'http://upper.example.com')
    variable('https_proxy', 'http://user:pass@lower.example.com:8080')
    variable('NO_PROXY', '.internal, 10.0.0.1')
    expect(readSettings(parse())).toMatchObject({
      httpProxy: 'http://proxy.example.com:3128',
      httpsProxy: 'http://user:pass@lower.example.com:8080',
      noProxy: '.internal, 10.0.0.1',
    })
  })

  test('a proxy that cannot be used is told by its variable and without its password', () => {
    variable('https_proxy', 'socks5://user:hunter2@proxy.example.com')
    const read = (): unknown => readSettings(parse())
    expect(read).toThrow(/^HTTPS_PROXY: must be the URL of an http\(s\) proxy/)
    expect(read).not.toThrow(/hunter2/)
  })
})
