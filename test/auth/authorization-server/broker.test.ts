import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createBrokerClient } from '../../../src/auth/authorization-server/broker-client.ts'
import { serveBroker } from '../../../src/auth/authorization-server/broker.ts'
import type {
  Answer,
  AuthorizationServerClient,
  TokenSet,
} from '../../../src/auth/authorization-server/authorization-server-client.ts'
import type { AuthorizationServer } from '../../../src/table/policy.ts'
import type { BrokerThreadData } from './broker-thread.ts'
import { APP, openClient, reasonOf, startHostile, valueOf } from './open-client.ts'

const GRANT = { client: APP, scopes: ['orders.read'], audience: [] } as const

function openChannel(): MessageChannel {
  const channel = new MessageChannel()
  onTestFinished(() => channel.port1.close())
  return channel
}

/** Starts a thread that asks the broker; gives its answers and the thread. */
async function startThread(
  client: AuthorizationServerClient,
  server: AuthorizationServer,
  times: number,
): Promise<readonly Answer<unknown>[]> {
  const { port1, port2 } = openChannel()
  const results = openChannel()
  serveBroker(port1, client)
  const workerData: BrokerThreadData = { broker: port2, results: results.port2, server, grant: GRANT, times }
  const worker = new Worker(new URL('broker-thread.ts', import.meta.url), {
    workerData,
    transferList: [port2, results.port2],
  })
  const [[answers], [exitCode]] = await Promise.all([once(results.port1, 'message'), once(worker, 'exit')])
  expect(exitCode).toBe(0)
  return answers as readonly Answer<unknown>[]
}

describe('the broker', () => {
  test('gives threads one token, one metadata document and one key set between them', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    const threads = await Promise.all([1, 2].map(() => startThread(client, server, 25)))
    const tokens = threads.flatMap(([metadata, keys, ...grants]) => {
      expect(metadata).toEqual(expect.objectContaining({ ok: true }))
      expect(keys).toEqual({ ok: true, value: expect.objectContaining({ keys: hostile.keySet().keys }) })
      return grants.map((grant) => (valueOf(grant) as TokenSet).accessToken)
    })
    expect(tokens).toHaveLength(50)
    expect(new Set(tokens)).toEqual(new Set(['token-1']))
    expect(hostile.count('token')).toBe(1)
    expect(hostile.count('discovery')).toBe(1)
    expect(hostile.count('keys')).toBe(1)
  })

  test('redeems a refresh token once for all threads that hold it', async () => {
    const hostile = await startHostile()
    const { client } = openClient()
    const server = hostile.asPolicyServer()
    const threads = [1, 2, 3].map(() => {
      const { port1, port2 } = openChannel()
      serveBroker(port1, client)
      return createBrokerClient(port2)
    })
    const session = { realm: 'realm', id: 'session-1' }
    const grant = { client: APP, refreshToken: 'refresh-1', session, leewaySeconds: 0 }
    const answers = await Promise.all(threads.map((thread) => thread.refreshTokenGrant(server, grant)))
    expect(new Set(answers.map((answer) => valueOf(answer).accessToken))).toEqual(new Set(['token-1']))
    expect(hostile.last('token').form.get('refresh_token')).toBe('refresh-1')
    expect(hostile.count('token')).toBe(1)
  })

  test('carries every act and its arguments', async () => {
    const hostile = await startHostile()
    const { client: direct } = openClient()
    const { port1, port2 } = openChannel()
    serveBroker(port1, direct)
    const client = createBrokerClient(port2)
    const server = hostile.asPolicyServer()
    const introspection = await client.introspect(server, { client: APP, token: 'the-token', hint: 'x' })
    expect(valueOf(introspection).active).toBe(true)
    expect(hostile.last('introspect').form.get('token')).toBe('the-token')
    await client.keys(server)
    const rotated = await hostile.rotateKeys()
    expect(valueOf(await client.keys(server, rotated)).keys.map(({ kid }) => kid)).toEqual([rotated])
    const refused = await client.authorizationCodeGrant(server, {
      client: APP,
      callbackUrl: 'https://app.example/?code=c&state=wrong',
      redirectUri: 'https://app.example/',
      state: 'right',
      leewaySeconds: 0,
    })
    expect(refused).toEqual({ ok: false, kind: 'refused', error: 'invalid_callback' })
  })

  test('keeps questions and answers together whatever the order', async () => {
    const { port1, port2 } = openChannel()
    const waiting: (() => void)[] = []
    serveBroker(port1, {
      ...broken,
      keys: (_server, missingKeyId) =>
        new Promise((resolve) => {
          waiting.push(() => resolve({ ok: true, value: { keys: [{ kid: missingKeyId }], fetchedAtMs: 0 } }))
          if (waiting.length === 3) for (const answer of waiting.toReversed()) answer()
        }),
    })
    const client = createBrokerClient(port2)
    const answers = await Promise.all(['a', 'b', 'c'].map((id) => client.keys(SERVER, id)))
    expect(answers.map((answer) => valueOf(answer).keys[0]?.['kid'])).toEqual(['a', 'b', 'c'])
  })

  test('answers what is under way and what comes later when its port closes', async () => {
    const { port1, port2 } = openChannel()
    serveBroker(port1, { ...broken, metadata: () => new Promise(() => {}) })
    const client = createBrokerClient(port2)
    const underWay = [client.metadata(SERVER), client.metadata(SERVER)]
    await once(port1, 'message')
    port1.close()
    for (const answer of await Promise.all(underWay)) expect(reasonOf(answer)).toBe('the broker is gone')
    expect(reasonOf(await client.keys(SERVER))).toBe('the broker is gone')
  })

  test('survives a client that throws, rejects or answers what cannot cross threads', async () => {
    const { port1, port2 } = openChannel()
    serveBroker(port1, broken)
    const client = createBrokerClient(port2)
    expect(reasonOf(await client.metadata(SERVER))).toBe('the broker failed unexpectedly')
    expect(reasonOf(await client.keys(SERVER))).toBe('the broker failed unexpectedly')
    const grant = await client.clientCredentialsGrant(SERVER, GRANT)
    expect(reasonOf(grant)).toBe('the answer cannot cross threads')
  })

  test('is not asked what cannot cross threads', async () => {
    const { port1, port2 } = openChannel()
    serveBroker(port1, broken)
    const client = createBrokerClient(port2)
    const server = { ...SERVER, issuer: (() => 'secret') as unknown as string }
    expect(reasonOf(await client.metadata(server))).toBe('the question cannot cross threads')
  })

  test('does only what the client does', async () => {
    const { port1, port2 } = openChannel()
    serveBroker(port1, broken)
    for (const act of ['close', 'constructor', '__proto__', 'toString']) {
      port2.postMessage({ id: 1, act, args: [] })
      const [reply] = (await once(port2, 'message')) as [{ answer: Answer<unknown> }]
      expect(reasonOf(reply.answer)).toBe('the broker was asked what it does not know')
    }
  })

  test('takes no more than ten thousand questions at once', async () => {
    const { port1, port2 } = openChannel()
    const client = createBrokerClient(port2)
    const underWay = Array.from({ length: 10_000 }, () => client.metadata(SERVER))
    expect(reasonOf(await client.metadata(SERVER))).toBe('the broker is overloaded')
    port1.close()
    expect(await Promise.all(underWay)).toHaveLength(10_000)
  })
})

const SERVER: AuthorizationServer = {
  id: 'server',
  issuer: 'https://issuer.example',
  discoveryUrls: [],
  extraJwksUris: [],
  missingKeyPauseMs: 30_000,
  proxy: {},
  timeoutMs: 1_000,
  insecureAllowHttp: false,
  insecureSkipTlsVerify: false,
}

const broken: AuthorizationServerClient = {
  metadata: () => Promise.reject(new Error('secret')),
  keys: () => {
    throw new Error('secret')
  },
  clientCredentialsGrant: () => Promise.resolve({ ok: true, value: (() => 1) as unknown as TokenSet }),
  authorizationCodeGrant: () => Promise.reject(new Error('secret')),
  refreshTokenGrant: () => Promise.reject(new Error('secret')),
  userInfo: () => Promise.reject(new Error('secret')),
  introspect: () => Promise.reject(new Error('secret')),
  revoke: () => Promise.reject(new Error('secret')),
}
