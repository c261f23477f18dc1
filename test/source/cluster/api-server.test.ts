import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { expect, onTestFinished, test } from 'vitest'
import { ApiServer } from '../../../src/source/cluster/api-server.ts'
import { answerStatus, ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { eventually, known, service, SERVICES, startReflector } from './setup.ts'

const PATH = SERVICES.path
const { signal } = new AbortController()

function temporaryFile(name: string): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'ostiary-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return path.join(directory, name)
}

function apiServer(load: () => KubeConfig): ApiServer {
  const api = new ApiServer(load)
  onTestFinished(() => api.close())
  return api
}

test('requests that follow one another share connections', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const api = apiServer(() => server.kubeConfig())
  for (let n = 0; n < 20; n += 1) await api.json({ path: PATH, signal })
  // A connection may not be free yet when its answer has been read.
  expect(server.connections).toBeLessThanOrEqual(2)
  expect(server.requests.map(({ authorization }) => authorization)).toEqual(Array(20).fill('Bearer token'))
})

test('after 401 a token file is read anew, though it was read a moment ago, and the reflector goes on', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.put(PATH, service('a'))
  server.token = 'first'
  const tokenFile = temporaryFile('token')
  writeFileSync(tokenFile, 'first\n')
  const load = (): KubeConfig => {
    const config = new KubeConfig()
    config.loadFromClusterAndUser(
      { name: 'c', server: server.url, skipTLSVerify: true },
      { name: 'u', authProvider: { name: 'tokenFile', config: { tokenFile } } },
    )
    return config
  }
  const { reflector } = startReflector(server, { api: apiServer(load) })
  await eventually(() => expect(server.watches).toHaveLength(1))

  server.token = 'second'
  server.watches[0]?.end()
  await eventually(() => expect(reflector.problem).toMatch(/401/))
  writeFileSync(tokenFile, 'second\n')
  await eventually(() => expect(server.watches).toHaveLength(1))
  await eventually(() => expect(reflector.problem).toBeUndefined())
  expect(known(reflector)).toEqual(['a=a.example.com'])
})

test('of many requests refused at once only one reads the credentials anew', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  server.token = 'other'
  let loads = 0
  const api = apiServer(() => {
    loads += 1
    return server.kubeConfig()
  })
  const attempts = Array.from({ length: 8 }, () => api.json({ path: PATH, signal }))
  const outcomes = await Promise.allSettled(attempts)
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual(
    Array(8).fill(expect.objectContaining({ status: 401 })),
  )
  expect(loads).toBe(2)
})

test('the message of a refusal is passed on for a missing permission only, for others may quote the object', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const api = apiServer(() => server.kubeConfig())
  server.once('list', PATH, (_, response) => answerStatus(response, 403, 'Forbidden'))
  await expect(api.json({ path: PATH, signal })).rejects.toThrow(
    'the API server answered 403 Forbidden: no: Forbidden',
  )
  server.once('list', PATH, (_, response) => answerStatus(response, 422, 'Invalid'))
  await expect(api.json({ path: PATH, signal })).rejects.toThrow(/^the API server answered 422 Invalid$/)
  server.once('list', PATH, (_, response) => void response.writeHead(502).end('<html>hunter2'))
  await expect(api.json({ path: PATH, signal })).rejects.toThrow(/^the API server answered 502$/)
  server.once('list', PATH, (_, response) => void response.writeHead(200).end('hunter2'))
  await expect(api.json({ path: PATH, signal })).rejects.toThrow(
    /^the API server answered something that is no JSON$/,
  )
})

test('credentials that cannot be read are told without what the plugin printed', async () => {
  await using server = await ScriptedApiServer.start(PATH)
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'c', server: server.url, skipTLSVerify: true },
    {
      name: 'u',
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'sh',
        args: ['-c', 'echo hunter2 >&2; exit 1'],
      },
    },
  )
  const failure = apiServer(() => config).json({ path: PATH, signal })
  await expect(failure).rejects.toMatchObject({ code: 'ERR_SOURCE_UNAVAILABLE' })
  await expect(failure).rejects.not.toThrow(/hunter2/)
})

test('a server below a path, as behind a gateway, is reached there', async () => {
  await using server = await ScriptedApiServer.start(`/k8s/clusters/c1${PATH}`)
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'c', server: `${server.url}/k8s/clusters/c1/`, skipTLSVerify: true },
    { name: 'u', username: 'alice', password: 'secret' },
  )
  await apiServer(() => config).json({ path: PATH, query: { labelSelector: 'a=b,c' }, signal })
  expect(server.requests[0]).toMatchObject({
    path: `/k8s/clusters/c1${PATH}`,
    query: { labelSelector: 'a=b,c' },
    authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}`,
  })
})
