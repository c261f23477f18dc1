import { Command } from 'commander'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OstiaryError } from '../../src/errors.ts'
import { electionIdOf } from '../../src/settings/election-id.ts'
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
      dashboard: true,
      dashboardPort: 10_255,
      ingressClass: 'ostiary',
      requirePlugin: false,
      allowSharedHosts: false,
      allowExternalName: false,
      allowLoopbackIssuers: false,
      trustedProxies: [],
    })
  })

  test('every flag is a setting', () => {
    const values: Record<string, string> = {
      logLevel: 'info',
      logFormat: 'json',
      accessLog: 'false',
      accessLogSample: '0.1',
      auditLog: 'false',
      otlpEndpoint: 'http://collector:4318',
      traceSampleRatio: '0.01',
      defaultPlugins: 'a/b',
      leaderElect: 'false',
      dashboard: 'true',
      dashboardHost: 'ops.example.com',
      http2: 'false',
      electionId: 'leader',
      publishService: 'a/b',
      publishStatusAddress: '192.0.2.1,lb.example.com',
      controllerClass: 'ostiary.dev/internal',
      shutdownDelay: '5s',
      maxHeaderBytes: '8192',
      maxUrlBytes: '256',
      tlsMinVersion: '1.3',
    }
    const needed: Record<string, readonly string[]> = {
      withoutClusterRights: ['--watch-namespace', 'a'],
      dashboardHost: ['--dashboard-plugin', 'a/b'],
      dashboardPlugin: ['--dashboard-host', 'ops.example.com'],
    }
    for (const option of runOptions()) {
      const name = option.attributeName()
      const isNumber = /port|workers|seconds|replicas|^max|timeout/i.test(name)
      const fallback = isNumber ? '1' : 'a/b'
      const value = option.flags.includes('<') ? [values[name] ?? fallback] : []
      const args = [option.long ?? '', ...value, ...(needed[name] ?? [])]
      expect(() => readSettings(parse(...args)), args.join(' ')).not.toThrow()
    }
  })

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

  test('a variable that a switch does not read is refused, since it would leave open what it means to close', () => {
    variable('OSTIARY_REQUIRE_PLUGIN', 'true')
    expect(() => readSettings(parse())).toThrow(
      /^OSTIARY_REQUIRE_PLUGIN: is not read; give the flag --require-plugin\n/,
    )
  })

  test.each(['', ' ', '1e3', '0x10', '-1', '1.5', '99999999999'])('%j is no number', (text) => {
    for (const flag of ['--http-port', '--workers', '--max-requests', '--max-connections', '--replicas']) {
      expect(() => readSettings(parse(flag, text))).toThrow(
        new RegExp(`^${flag}: must be a whole number from`),
      )
    }
  })

  test('a share is a number, as Helm writes it too', () => {
    expect(readSettings(parse('--access-log-sample', '1e-05')).accessLogSample).toBe(0.00001)
    for (const text of ['', 'all', '2', '-1'])
      expect(() => readSettings(parse('--access-log-sample', text))).toThrow(/^--access-log-sample: must be/)
  })

  test.each(['--default-plugins', '--watch-namespace', '--trusted-proxies', '--publish-status-address'])(
    'an empty list is no list: %s',
    (flag) => {
      expect(() => parse(flag, ' , ')).toThrow(/is empty/)
    },
  )

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

describe('flags that cannot hold together', () => {
  test.each([
    ['--kubeconfig', 'file'],
    ['--watch-namespace', 'a'],
    ['--publish-service', 'a/b'],
    ['--publish-status-address', '192.0.2.1'],
    ['--publish-node-addresses'],
    ['--update-status-on-shutdown'],
  ])('files have no use for %s', (...flags) => {
    expect(() => readSettings(parse('--manifests', 'directory', ...flags))).toThrow(
      `${flags[0]}: is for clusters, and cannot be used with --manifests`,
    )
  })

  test('--without-cluster-rights needs the namespaces that Roles are bound in', () => {
    expect(() => readSettings(parse('--without-cluster-rights'))).toThrow(
      /^--without-cluster-rights: needs --watch-namespace/,
    )
  })

  test('addresses of nodes are not read without cluster rights, nor beside other addresses', () => {
    const nodes = ['--publish-node-addresses']
    const rights = ['--without-cluster-rights', '--watch-namespace', 'a']
    expect(() => readSettings(parse(...nodes, ...rights))).toThrow(/nodes cannot be read/)
    expect(() => readSettings(parse(...nodes, '--publish-service', 'a/b'))).toThrow(/cannot be used with/)
    expect(() => readSettings(parse(...nodes, '--publish-status-address', '192.0.2.1'))).toThrow(
      /cannot be used with/,
    )
    expect(readSettings(parse(...nodes)).publishNodeAddresses).toBe(true)
  })

  test('the dashboard goes beyond this machine behind a plugin, or not at all', () => {
    const host = ['--dashboard-host', 'ops.example.com']
    const plugin = ['--dashboard-plugin', 'ops/staff']
    expect(() => readSettings(parse(...host))).toThrow(/^--dashboard-host: needs --dashboard-plugin/)
    expect(() => readSettings(parse(...plugin))).toThrow(/^--dashboard-plugin: needs --dashboard-host/)
    expect(() => readSettings(parse(...host, ...plugin, '--dashboard', 'false'))).toThrow(
      /^--dashboard-host: there is no dashboard/,
    )
    expect(readSettings(parse(...host, ...plugin)).dashboardHost).toBe('ops.example.com')
  })

  test.each(['OPS.example.com', 'ops.example.com:443', '*.example.com', '127.0.0.1', '0x7f.1', '', 'a..b'])(
    'the dashboard is not served on %j',
    (host) => {
      const plugin = ['--dashboard-plugin', 'ops/staff']
      expect(() => readSettings(parse('--dashboard-host', host, ...plugin))).toThrow(
        /^--dashboard-host: must be a DNS name/,
      )
    },
  )

  test.each([
    'example.com/ingress',
    'ostiary.dev/',
    'ostiary.dev/Upper',
    'ostiary.dev/a/b',
    `ostiary.dev/${'a'.repeat(49)}`,
  ])('another installation would not know %s for one of ours', (controllerClass) => {
    expect(() => readSettings(parse('--controller-class', controllerClass))).toThrow(
      /^--controller-class: must be/,
    )
  })
})

describe('the Lease', () => {
  const leaseOf = (...args: string[]): string => electionIdOf(readSettings(parse(...args)))
  const byName = ['--without-cluster-rights', '--watch-namespace', 'a']

  test('has the name that it always had where nothing tells installations apart', () => {
    expect(leaseOf()).toBe('ostiary-leader')
    expect(leaseOf('--ingress-class', 'edge')).toBe('ostiary-leader')
    expect(leaseOf(...byName)).toBe('ostiary-leader')
  })

  test('is another for each installation', () => {
    const names = [
      leaseOf(),
      leaseOf('--controller-class', 'ostiary.dev/internal'),
      leaseOf(...byName, '--ingress-class', 'internal'),
      leaseOf(...byName, '--ingress-class', 'internal', '--controller-class', 'ostiary.dev/internal'),
    ]
    expect(names).toEqual([
      'ostiary-leader',
      'ostiary-leader-internal',
      'ostiary-leader.internal',
      'ostiary-leader-internal.internal',
    ])
  })

  test('is the one that is asked for', () => {
    expect(leaseOf('--election-id', 'mine', '--controller-class', 'ostiary.dev/internal')).toBe('mine')
  })
})
