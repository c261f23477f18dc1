import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { clientCredentialsToken } from '../demo/okta.ts'
import { ingress, oidcPlugin, secret, yaml } from '../support/manifests.ts'
import { startOstiaryProcess } from '../support/ostiary-file-process.ts'

const HOST = 'ops.test'
const FLAGS = ['--dashboard-host', HOST, '--dashboard-plugin', 'default/staff']

async function folderOf(manifests: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ostiary-dashboard-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(path.join(folder, 'all.yaml'), manifests)
  return folder
}

async function ask(
  port: number,
  host: string,
  headers: Readonly<Record<string, string>> = {},
  target = '/',
): Promise<{ status: number; location: unknown; text: string }> {
  const answer = await request(`http://127.0.0.1:${port}${target}`, { headers: { host, ...headers } })
  return { status: answer.statusCode, location: answer.headers['location'], text: await answer.body.text() }
}

async function authorizationServer(): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer({ port: 0 })
  onTestFinished(() => server.close())
  return server
}

describe('the dashboard on a host of its own', () => {
  test('is for those whom its plugin lets in, and for nobody once the plugin is gone', async () => {
    const server = await authorizationServer()
    const staff = oidcPlugin('staff', {
      issuer: server.issuer,
      authMethods: ['bearer'],
      audience: ['api://default'],
    })
    const folder = await folderOf(yaml(staff))
    const { port } = await startOstiaryProcess(folder, ...FLAGS)
    const authorization = `Bearer ${await clientCredentialsToken(server)}`
    expect((await ask(port, HOST)).status).toBe(401)
    expect((await ask(port, HOST, { authorization })).status).toBe(200)
    // What says where a request came from opens nothing.
    const forged = {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'localhost',
      forwarded: 'for=127.0.0.1',
    }
    expect((await ask(port, HOST, forged)).status).toBe(401)
    expect((await ask(port, 'other.test', { authorization })).status).toBe(404)
    await rm(path.join(folder, 'all.yaml'))
    const closed = await vi.waitUntil(
      async () => {
        const answer = await ask(port, HOST, { authorization })
        return answer.status === 503 && answer
      },
      { timeout: 15_000, interval: 50 },
    )
    expect(JSON.parse(closed.text)).toMatchObject({ reason: 'PluginNotFound' })
  })

  test('sends people to their login, and nobody else has a path there', async () => {
    const server = await authorizationServer()
    const staff = oidcPlugin('staff', {
      issuer: server.issuer,
      authMethods: ['session', 'authorization_code'],
      clientId: 'ostiary',
      clientSecretRef: { name: 'client' },
    })
    const client = secret('client', { clientSecret: 'ostiary-secret' })
    const thief = ingress({ host: HOST, path: '/open', annotations: { 'ostiary.dev/public': 'true' } })
    const { port } = await startOstiaryProcess(await folderOf(yaml(staff, client, thief)), ...FLAGS)
    for (const target of ['/', '/open']) {
      const { location, status } = await ask(port, HOST, { accept: 'text/html' }, target)
      expect([target, status]).toEqual([target, 302])
      expect(location).toMatch(new RegExp(`^${server.issuer}`))
    }
  })

  test('is closed while its plugin was never there', async () => {
    const { port, dashboardPort } = await startOstiaryProcess(await folderOf(''), ...FLAGS)
    expect((await ask(port, HOST)).status).toBe(503)
    expect((await ask(dashboardPort, `localhost:${dashboardPort}`)).status).toBe(200)
  })
})

test('without a host of its own it is on the loopback address, under the names of that alone', async () => {
  const { port, dashboardPort } = await startOstiaryProcess(await folderOf(''))
  expect((await ask(dashboardPort, `127.0.0.1:${dashboardPort}`)).status).toBe(200)
  const rebound = await ask(dashboardPort, 'rebound.example')
  expect(rebound.status).toBeGreaterThanOrEqual(400)
  expect((await ask(port, HOST)).status).toBe(404)
})

test('there is none with --dashboard=false', async () => {
  const { dashboardPort } = await startOstiaryProcess(await folderOf(''), '--dashboard', 'false')
  expect(dashboardPort).toBeNaN()
})
