import { expect, onTestFinished, test } from 'vitest'
import { ApiServer } from '../../../src/source/cluster/api-server.ts'
import { getOrCreateSessionKeys } from '../../../src/source/cluster/session-key-secret.ts'
import type { SessionKeys } from '../../../src/source/session-key.ts'
import { answerStatus, ScriptedApiServer } from '../../support/scripted-api-server.ts'
import { HurriedTimers, silent } from './setup.ts'

const SECRETS = '/api/v1/namespaces/ostiary/secrets'
const SECRET = `${SECRETS}/keys`

function getOrCreate(server: ScriptedApiServer, signal = new AbortController().signal): Promise<SessionKeys> {
  const api = new ApiServer(() => server.kubeConfig())
  onTestFinished(() => api.close())
  return getOrCreateSessionKeys(
    { api, namespace: 'ostiary', name: 'keys', logger: silent, timers: new HurriedTimers() },
    signal,
  )
}

function reveal(keys: SessionKeys): string[] {
  return keys.map((key) => key.reveal())
}

/** As the API server does it, `stringData` comes back as `data`. */
function put(server: ScriptedApiServer, text: string): void {
  const data = { keys: Buffer.from(text).toString('base64') }
  server.put(SECRETS, { kind: 'Secret', metadata: { name: 'keys', namespace: 'ostiary' }, data })
}

test('an absent Secret is made with the label that lets the source see it, and is read from then on', async () => {
  await using server = await ScriptedApiServer.start(SECRETS)
  const keys = await getOrCreate(server)
  const [created] = server.requestsFor('create', SECRETS)
  expect(JSON.parse(created?.body ?? '')).toMatchObject({
    metadata: { name: 'keys', namespace: 'ostiary', labels: { 'ostiary.dev/secret': 'true' } },
    stringData: { keys: `${reveal(keys)[0]}\n` },
  })
  expect(reveal(await getOrCreate(server))).toEqual(reveal(keys))
  expect(server.requestsFor('create', SECRETS)).toHaveLength(1)
})

test('of replicas that start at once all have the key of the one that was first', async () => {
  await using server = await ScriptedApiServer.start(SECRETS)
  // Everyone looks before anyone has created.
  const waiting: (() => void)[] = []
  for (let n = 0; n < 4; n += 1) {
    server.once('get', SECRET, (_, response) => {
      waiting.push(() => answerStatus(response, 404, 'NotFound'))
      if (waiting.length === 4) for (const answer of waiting) answer()
    })
  }
  const all = await Promise.all(Array.from({ length: 4 }, () => getOrCreate(server)))
  expect(server.requestsFor('create', SECRETS)).toHaveLength(4)
  expect(new Set(all.flatMap(reveal)).size).toBe(1)
})

test('a Secret that holds something else is refused and not replaced', async () => {
  await using server = await ScriptedApiServer.start(SECRETS)
  put(server, 'hunter2')
  const refused = getOrCreate(server)
  await expect(refused).rejects.toMatchObject({
    code: 'ERR_SESSION_KEY_INVALID',
    message: expect.stringMatching(/^Secret ostiary\/keys, key keys, line 1: /),
  })
  await expect(refused).rejects.not.toThrow(/hunter2/)
  expect(server.requestsFor('create', SECRETS)).toEqual([])
})

test('an API server that is busy or errs is waited for; a missing permission is not', async () => {
  await using server = await ScriptedApiServer.start(SECRETS)
  for (const code of [429, 500, 401]) {
    server.once('get', SECRET, (_, response) => answerStatus(response, code, 'No'))
  }
  server.once('create', SECRETS, (_, response) => answerStatus(response, 503, 'No'))
  expect(await getOrCreate(server)).toHaveLength(1)
  server.once('get', SECRET, (_, response) => answerStatus(response, 403, 'Forbidden'))
  await expect(getOrCreate(server)).rejects.toMatchObject({ status: 403 })
})

test('waiting ends with the signal', async () => {
  await using server = await ScriptedApiServer.start(SECRETS)
  const controller = new AbortController()
  server.once('get', SECRET, (_, response) => {
    answerStatus(response, 503, 'No', { 'retry-after': '3600' })
    setImmediate(() => controller.abort())
  })
  await expect(getOrCreate(server, controller.signal)).rejects.toThrow()
})
