import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import type { ClientRegistration } from '../../deploy/demo/authorization-server/registration.ts'
import { readDoctorRequest } from '../../src/commands/doctor-options.ts'
import { doctor } from '../../src/commands/doctor.ts'
import type { CheckName, Finding, Outcome, Report } from '../../src/doctor/finding.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'

/** What nothing that is printed may hold. */
export const CLIENT_SECRET = 'sup3r-s3cret-of-the-app'

export const APP: ClientRegistration = {
  clientId: 'the-app',
  clientSecret: CLIENT_SECRET,
  grantTypes: ['authorization_code', 'client_credentials'],
  redirectUris: ['https://app.example.com/oauth2/callback'],
}

/** The server that looks like Okta's, with one app; gone when the test is. */
export async function startServer(
  options: Partial<AuthorizationServerOptions> = {},
): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer({ port: 0, clients: [APP], ...options })
  onTestFinished(() => server.close())
  return server
}

/** Manifests of one login plugin on app.example.com, `default/app`. */
export function loginManifests(issuer: string, spec: object = {}, clientSecret = CLIENT_SECRET): string {
  return yaml(
    ...service('echo', 1),
    secret('app', { clientSecret }),
    oidcPlugin('app', {
      issuer,
      clientId: 'the-app',
      clientSecretRef: { name: 'app' },
      authMethods: ['session', 'authorization_code'],
      scopes: ['openid', 'profile'],
      ...spec,
    }),
    ingress({ host: 'app.example.com', annotations: { 'ostiary.dev/plugins': 'app' } }),
  )
}

/** A file with this text; gone when the test is. */
export async function file(text: string, name = 'manifests.yaml'): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-doctor-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(path.join(folder, name), text)
  return path.join(folder, name)
}

export interface Examined {
  readonly failures: number
  readonly report: Report
  /** The findings of one check. */
  readonly of: (check: CheckName) => readonly Finding[]
  /** `[outcome, found, fix]` of the only finding of a check. */
  readonly one: (check: CheckName) => readonly [outcome: Outcome, found: string, fix: string]
}

/** Runs `ostiary doctor` as from the command line, and checks that it never tells the secret. */
export async function examine(
  manifests: string,
  plugin = 'app',
  flags: Readonly<Record<string, unknown>> = {},
): Promise<Examined> {
  const filename = flags['kubeconfig'] === undefined ? { filename: await file(manifests) } : {}
  const { failures, printed } = await run(plugin, { ...filename, output: 'json', ...flags })
  const report = JSON.parse(printed) as Report
  const of = (check: CheckName): readonly Finding[] => report.findings.filter((each) => each.check === check)
  return {
    failures,
    report,
    of,
    one: (check) => {
      const [found, ...rest] = of(check)
      if (found === undefined || rest.length > 0) throw new Error(`not one ${check}: ${printed}`)
      return [found.outcome, found.found, found.fix ?? '']
    },
  }
}

/** Runs `ostiary doctor` and gives what it printed. */
export async function run(
  plugin: string,
  flags: Readonly<Record<string, unknown>>,
): Promise<{ readonly failures: number; readonly printed: string; readonly told: readonly string[] }> {
  let printed = ''
  const told: string[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      printed += chunk.toString()
      done()
    },
  })
  const { request, settings } = readDoctorRequest(plugin, flags)
  const { failures } = await doctor(request, readSettings(settings), {
    output,
    progress: { tell: (what) => void told.push(what), end() {} },
    userAgent: 'ostiary-test',
  })
  for (const secretText of [CLIENT_SECRET, btoa(`the-app:${CLIENT_SECRET}`), 'eyJ']) {
    if (printed.includes(secretText)) throw new Error('a secret was printed')
  }
  return { failures, printed, told }
}
