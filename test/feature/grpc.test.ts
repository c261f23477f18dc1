import {
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { once } from 'node:events'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startAuthorizationServer } from '../../deploy/demo/authorization-server/authorization-server.ts'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import type { KeyPair } from '../../src/proxy/server-names.ts'
import { createPrivateCa, type PrivateCa } from '../auth/authorization-server/private-ca.ts'
import { clientCredentialsToken } from '../demo/okta.ts'
import { certificateFor, tlsSecret, withTls } from '../support/certificates.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'
import { tcpUpstream } from '../proxy/support.ts'
import { KeptRecords } from '../support/kept-records.ts'
import { startOstiary } from '../support/ostiary.ts'
import { RawClient } from '../support/raw-http.ts'

const HOST = 'grpc.example.test'
/** Of an upstream that takes everything and says nothing. */
const SILENT_HOST = 'silent.example.test'

let fallback: KeyPair
let certificate: KeyPair
let upstreamCa: PrivateCa

beforeAll(async () => {
  fallback = await createDefaultCertificate(new Date())
  certificate = await certificateFor(HOST)
  upstreamCa = await createPrivateCa({ type: 2, value: 'echo.default.svc' })
})

function method(name: string, requestStream: boolean, responseStream: boolean) {
  const toBytes = (text: string): Buffer => Buffer.from(text)
  const toText = (bytes: Buffer): string => bytes.toString()
  return {
    path: `/echo.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: toBytes,
    requestDeserialize: toText,
    responseSerialize: toBytes,
    responseDeserialize: toText,
  }
}

const ECHO: ServiceDefinition = {
  say: method('Say', false, false),
  count: method('Count', false, true),
  join: method('Join', true, false),
  chat: method('Chat', true, true),
}

type Call<T> = (...of: readonly unknown[]) => T

interface EchoClient {
  readonly say: Call<unknown>
  readonly count: Call<ClientReadableStream<string>>
  readonly join: Call<ClientWritableStream<string>>
  readonly chat: Call<ClientDuplexStream<string, string>>
}

interface Running {
  readonly client: EchoClient
  readonly token: string
  readonly httpsPort: number
  /** Metadata of the calls that came through. */
  readonly seen: Metadata[]
  /** Calls that their client took back. */
  readonly cancelled: string[]
  readonly records: KeptRecords
}

function implementation(seen: Metadata[], cancelled: string[]): UntypedServiceImplementation {
  const say: handleUnaryCall<string, string> = (call, callback) => {
    seen.push(call.metadata)
    const trailers = new Metadata()
    trailers.set('x-sum', 'ümlaut'.length.toString())
    if (call.request === 'fail')
      callback({ code: status.FAILED_PRECONDITION, details: 'not — now' }, null, trailers)
    else callback(null, `hello ${call.request}`, trailers)
  }
  const count: handleServerStreamingCall<string, string> = (call) => {
    call.on('cancelled', () => cancelled.push('count'))
    if (call.request === 'for ever') {
      call.write('1')
      return
    }
    for (let i = 1; i <= Number(call.request); i += 1) call.write(String(i))
    call.end()
  }
  const join: handleClientStreamingCall<string, string> = (call, callback) => {
    const words: string[] = []
    call.on('data', (word: string) => words.push(word))
    call.on('end', () => callback(null, words.join(' ')))
  }
  const chat: handleBidiStreamingCall<string, string> = (call) => {
    call.write('who is there?')
    call.on('data', (word: string) => call.write(word.toUpperCase()))
    call.on('end', () => call.end())
  }
  return { say, count, join, chat }
}

async function start(
  protocol: 'GRPC' | 'GRPCS' | 'H2C',
  limits: { bodyTimeoutMs?: number } = {},
): Promise<Running> {
  const [seen, cancelled]: [Metadata[], string[]] = [[], []]
  const server = new Server()
  server.addService(ECHO, implementation(seen, cancelled))
  const own = Buffer.from(upstreamCa.cert)
  const serverCredentials =
    protocol === 'GRPCS'
      ? ServerCredentials.createSsl(null, [{ cert_chain: own, private_key: Buffer.from(upstreamCa.key) }])
      : ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', serverCredentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  onTestFinished(() => server.forceShutdown())
  const authorizationServer = await startAuthorizationServer({ port: 0 })
  onTestFinished(() => authorizationServer.close())
  const plugin = oidcPlugin('api', {
    issuer: authorizationServer.issuer,
    audience: ['api://default'],
    authMethods: ['bearer'],
  })
  const annotations = {
    'ostiary.dev/backend-protocol': protocol,
    ...(protocol === 'GRPCS' && { 'ostiary.dev/upstream-ca-secret': 'upstream-ca' }),
  }
  const guarded = ingress({ host: HOST, annotations: { 'ostiary.dev/plugins': 'api' } })
  const silent = await tcpUpstream(() => {})
  const records = new KeptRecords()
  const { httpsPort = 0 } = await startOstiary(
    yaml(
      ...service('echo', port, annotations),
      secret('upstream-ca', { 'ca.crt': upstreamCa.ca }),
      tlsSecret('web-tls', certificate),
      plugin,
      withTls(guarded, 'web-tls', HOST),
      ...service('silent', silent.port),
      ingress({ name: 'silent', host: SILENT_HOST, service: 'silent' }),
    ),
    {
      recorder: records,
      proxy: { https: { host: '127.0.0.1', port: 0 }, defaultCertificate: fallback, limits },
    },
  )
  const token = await clientCredentialsToken(authorizationServer)
  return { client: connect(httpsPort), token, httpsPort, seen, cancelled, records }
}

function connect(port: number): EchoClient {
  const ssl: ChannelCredentials = credentials.createSsl(Buffer.from(certificate.certificateChainPem))
  const Client = makeGenericClientConstructor(ECHO, 'echo.Echo')
  const client = new Client(`127.0.0.1:${port}`, ssl, {
    'grpc.ssl_target_name_override': HOST,
    'grpc.default_authority': HOST,
  })
  onTestFinished(() => client.close())
  return client as unknown as EchoClient
}

function bearing(token: string): Metadata {
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

interface Answer {
  readonly error: ServiceError | null
  readonly text: string | undefined
  readonly trailers: Metadata
}

function say(client: EchoClient, word: string, metadata: Metadata): Promise<Answer> {
  return new Promise((resolve) => {
    let answer: Omit<Answer, 'trailers'> = { error: null, text: undefined }
    const call = client.say(word, metadata, (error: ServiceError | null, text?: string) => {
      answer = { error, text }
    }) as NodeJS.EventEmitter
    call.once('status', ({ metadata: trailers }: { metadata: Metadata }) => {
      setImmediate(() => resolve({ ...answer, trailers }))
    })
  })
}

async function all(
  stream: ClientReadableStream<string> | ClientDuplexStream<string, string>,
): Promise<string[]> {
  const words: string[] = []
  for await (const word of stream) words.push(String(word))
  return words
}

describe.each(['GRPC', 'GRPCS', 'H2C'] as const)(
  'gRPC, guarded, to an upstream of protocol %s',
  (protocol) => {
    test('passes in all four kinds of calls', async () => {
      const { client, token, seen } = await start(protocol)
      const metadata = bearing(token)
      const answer = await say(client, 'world', metadata)
      expect(answer).toMatchObject({ error: null, text: 'hello world' })
      expect(answer.trailers.get('x-sum')).toEqual(['6'])
      expect(seen[0]?.get('x-forwarded-proto')).toEqual(['https'])

      expect(await all(client.count('500', metadata))).toEqual(
        Array.from({ length: 500 }, (_, i) => String(i + 1)),
      )

      const joined = await new Promise((resolve, reject) => {
        const call = client.join(metadata, (error: ServiceError | null, text?: string) =>
          error === null ? resolve(text) : reject(error),
        )
        for (const word of ['a', 'b', 'c']) call.write(word)
        call.end()
      })
      expect(joined).toBe('a b c')

      const chat = client.chat(metadata)
      // The server speaks first.
      expect(await once(chat, 'data')).toEqual(['who is there?'])
      for (const word of ['x', 'y']) {
        chat.write(word)
        expect(await once(chat, 'data')).toEqual([word.toUpperCase()])
      }
      chat.end()
      expect(await all(chat)).toEqual([])
    })
  },
)

describe('gRPC', () => {
  test('is one record a call, also of one that is refused or taken back', async () => {
    const { client, token, records } = await start('GRPC')
    const call = { protocol: 'HTTP/2', method: 'POST', scheme: 'https' }
    await say(client, 'world', bearing(token))
    // A frame of gRPC has five bytes before the message.
    const said = {
      ...call,
      path: '/echo.Echo/Say',
      status: 200,
      reason: '',
      requestBytes: 10,
      responseBytes: 16,
    }
    expect(await records.next()).toMatchObject({ ...said, upstreamStatus: 200 })
    await say(client, 'world', new Metadata())
    expect(await records.next()).toMatchObject({ ...call, reason: 'no_credential', upstreamStatus: 0 })
    const counting = client.count('for ever', bearing(token))
    await once(counting, 'data')
    counting.on('error', () => {}).cancel()
    expect(await records.next()).toMatchObject({ ...call, reason: 'client_left', responseBytes: 6 })
    expect(records.size).toBe(0)
  })

  test("tells of the server's errors as it says them", async () => {
    const { client, token } = await start('GRPC')
    const { error, trailers } = await say(client, 'fail', bearing(token))
    expect([error?.code, error?.details]).toEqual([status.FAILED_PRECONDITION, 'not — now'])
    expect(trailers.get('x-sum')).toEqual(['6'])
  })

  test('is refused with a status of its own where the token is missing or wrong, and reaches no server', async () => {
    const { client, seen } = await start('GRPC')
    for (const metadata of [new Metadata(), bearing('no-token')]) {
      const { error } = await say(client, 'world', metadata)
      expect(error?.code).toBe(status.UNAUTHENTICATED)
      expect(error?.details).not.toBe('')
      const chat = client.chat(metadata)
      const [refusal] = (await once(chat.resume(), 'error')) as [ServiceError]
      expect(refusal.code).toBe(status.UNAUTHENTICATED)
    }
    expect(seen).toEqual([])
  })

  test('that its client takes back is taken back from the server', async () => {
    const { client, token, cancelled } = await start('GRPC')
    const stream = client.count('for ever', bearing(token))
    stream.on('error', () => {})
    await once(stream, 'data')
    stream.cancel()
    await expect.poll(() => cancelled).toEqual(['count'])
  })

  test('may be silent for longer than other bodies', async () => {
    const { client, httpsPort, token } = await start('GRPC', { bodyTimeoutMs: 50 })
    const chat = client.chat(bearing(token))
    await once(chat, 'data')
    const other = await RawClient.openTls({ port: httpsPort })
    other.write(`POST / HTTP/1.1\r\nHost: ${SILENT_HOST}\r\nContent-Length: 9\r\n\r\nhalf`)
    expect((await other.response()).status).toBe(408)
    other.close()
    chat.write('x')
    expect(await once(chat, 'data')).toEqual(['X'])
    chat.end()
    expect(await all(chat)).toEqual([])
  })
})
