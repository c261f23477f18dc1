import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Agent, request } from 'undici'
import { authorizationRequest } from '../demo/okta.ts'
import { run } from '../doctor/setup.ts'
import { signIn } from '../support/okta-server-sign-in.ts'
import { runExample, type RunningExample } from './example.ts'
import { readCollection, render, responseTag } from './insomnia.ts'
import { noCurl, runReadme } from './readme.ts'

const HOST = 'api.example.com'
const CALLBACK = 'https://people.example.com/callback'

function service(name: string) {
  return {
    clientId: `YOUR_${name}_CLIENT_ID`,
    clientSecret: `YOUR_${name}_CLIENT_SECRET`,
    grantTypes: ['client_credentials'],
  } as const
}

function start(): Promise<RunningExample> {
  return runExample('introspection', {
    host: HOST,
    clients: [
      service('GATEWAY'),
      service('REPORTING'),
      service('BILLING'),
      { clientId: 'people', grantTypes: ['authorization_code'], redirectUris: [CALLBACK] },
    ],
    users: [
      { id: '00u1', login: 'ada@example.com', name: 'Ada', groups: ['Everyone', 'API Admins'] },
      { id: '00u2', login: 'bob@example.com', name: 'Bob', groups: ['Everyone', 'API', 'Admins'] },
    ],
  })
}

/** Leads `https://<HOST>` to the example, as the `.curlrc` of its folder does. */
async function connectTo({ curlHome }: RunningExample): Promise<Agent> {
  const ca = await readFile(path.join(curlHome, 'ca.pem'), 'utf8')
  const agent = new Agent({
    connect: {
      ca,
      lookup: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    },
  })
  onTestFinished(() => agent.close())
  return agent
}

async function ask(example: RunningExample, target: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const dispatcher = await connectTo(example)
  const { statusCode, body } = await request(originOf(example) + target, { headers, dispatcher })
  await body.dump()
  return statusCode
}

function originOf({ httpsPort }: RunningExample): string {
  return `https://${HOST}:${httpsPort}`
}

async function tokenOf({ authorizationServer }: RunningExample, username: string): Promise<string> {
  const parameters = { client_id: 'people', redirect_uri: CALLBACK }
  const { url, codeVerifier } = authorizationRequest(authorizationServer, parameters)
  const outcome = await signIn(url, { username })
  if (outcome.kind !== 'redirect') throw new Error('the sign-in stopped at a page')
  const form = new URLSearchParams({
    ...parameters,
    grant_type: 'authorization_code',
    code: outcome.location.searchParams.get('code') ?? '',
    code_verifier: codeVerifier,
  })
  const response = await fetch(`${authorizationServer.issuer}/v1/token`, { method: 'POST', body: form })
  return ((await response.json()) as { access_token: string }).access_token
}

test.skipIf(noCurl)('each command of the README answers as printed', async () => {
  expect(await runReadme(await start())).toBe(5)
})

test("people: Okta's group decides, a name with a space is one name, and deactivation counts at once", async () => {
  const example = await start()
  const ada = await tokenOf(example, 'ada@example.com')
  expect(await ask(example, '/anything/admin', ada)).toBe(200)
  expect(await ask(example, '/anything/admin', await tokenOf(example, 'bob@example.com'))).toBe(403)
  expect(await ask(example, '/anything/reports', ada)).toBe(403)
  example.authorizationServer.faults.deactivateUser('ada@example.com')
  expect(await ask(example, '/anything/admin', ada)).toBe(401)
})

test('a deactivated app is refused at once, and stays so', async () => {
  const example = await start()
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders.read' })
  const { clientId, clientSecret } = service('REPORTING')
  const headers = { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` }
  const { issuer, faults } = example.authorizationServer
  const response = await fetch(`${issuer}/v1/token`, { method: 'POST', body: form, headers })
  const { access_token: token } = (await response.json()) as { access_token: string }
  expect(await ask(example, '/anything/reports', token)).toBe(200)
  faults.deactivateClient(clientId)
  expect(await ask(example, '/anything/reports', token)).toBe(401)
  faults.activateClient(clientId)
  expect(await ask(example, '/anything/reports', token)).toBe(401)
})

test('the Insomnia collection: each request answers as its description expects, tokens chained by response tags', async () => {
  const example = await start()
  const text = await readFile(path.join(example.folder, 'insomnia-collection.yaml.txt'), 'utf8')
  const { collection, environments } = readCollection(example.fill(text))
  const environment = { ...environments.data, api: originOf(example) }
  const answers = new Map<string, Record<string, unknown>>()
  const dispatcher = await connectTo(example)
  for (const each of collection.toSorted((a, b) => (a.meta.sortKey ?? 0) - (b.meta.sortKey ?? 0))) {
    const { url, method, headers, body } = render(each, environment, answers)
    const answer = await request(url, {
      method: method as 'GET',
      headers,
      ...(url.startsWith(environment.api) && { dispatcher }),
      ...(body !== undefined && { body }),
    })
    const json = await answer.body.text()
    expect(`Expect ${answer.statusCode}`, each.name).toBe(
      /^Expect \d+/.exec(each.meta.description ?? '')?.[0],
    )
    if (json.startsWith('{')) answers.set(each.meta.id, JSON.parse(json) as Record<string, unknown>)
  }
})

test('the Insomnia collection: ids are unique, and every response tag names an earlier request', async () => {
  const example = await start()
  const text = await readFile(path.join(example.folder, 'insomnia-collection.yaml.txt'), 'utf8')
  const { collection } = readCollection(text)
  const ids = collection.map(({ meta }) => meta.id)
  expect(new Set(ids).size).toBe(ids.length)
  const tags = collection.flatMap(({ authentication, body }, index) => {
    const values = [
      ...(authentication.type === 'bearer' ? [authentication.token] : []),
      ...(body?.params.map(({ value }) => value) ?? []),
    ]
    return values
      .filter((value) => value.startsWith('{%'))
      .map((value) => ({ index, tag: responseTag(value) }))
  })
  expect(tags).toHaveLength(4)
  for (const { index, tag } of tags) {
    expect(tag?.member).toBe('access_token')
    expect(ids.slice(0, index)).toContain(tag?.requestId)
  }
})

test.each(['introspection', 'introspection-admins'])('doctor finds nothing wrong with %s', async (plugin) => {
  const { folder } = await start()
  const { failures, printed } = await run(plugin, { filename: folder })
  expect(failures, printed).toBe(0)
})
