import { beforeAll, expect, test } from 'vitest'
import { aPolicy } from '../../support/a-policy.ts'
import { Harness, outcome } from '../../support/authorizer-harness.ts'
import { DOWN } from '../../support/fake-authorization-server-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
const MINUTE = 60_000
let oldKey: Signer
let newKey: Signer

beforeAll(async () => {
  oldKey = await Signer.create('old')
  newKey = await Signer.create('new')
})

test('a server that is down before its keys were fetched is 503 with Retry-After, and recovers by itself', async () => {
  const made = new Harness([aPolicy()])
  const token = await oldKey.token(NOW)
  expect(await made.askBearer(token)).toMatchObject({
    kind: 'unavailable',
    reason: 'authorization_server_unavailable',
    retryAfterSeconds: 7,
  })
  made.serveKeys(oldKey)
  expect(outcome(await made.askBearer(token))).toBe('allow')
})

test('a token that cannot pass anyway makes nobody fetch keys', async () => {
  const made = new Harness([aPolicy()])
  expect(outcome(await made.askBearer(await oldKey.token(NOW, { exp: 1 })))).toBe('401 expired_token')
  expect(made.servers.keyCalls).toEqual([])
})

test('the first token under a new key passes: an unknown kid is asked for by name', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(oldKey)
  await made.askBearer(await oldKey.token(NOW))
  made.serveKeys(oldKey, newKey)
  expect(outcome(await made.askBearer(await newKey.token(NOW)))).toBe('allow')
  expect(made.servers.keyCalls).toEqual([undefined, 'new'])
})

test('many requests at once fetch the keys once', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(oldKey)
  const tokens = await Promise.all([...Array(20).keys()].map((n) => oldKey.token(NOW, { jti: `t${n}` })))
  const decisions = await Promise.all(tokens.map((token) => made.askBearer(token)))
  expect(decisions.map(outcome)).toEqual(Array(20).fill('allow'))
  expect(made.servers.keyCalls).toEqual([undefined])
})

test('keys stay in use while the server is down, for tokens seen and unseen', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(oldKey)
  const seen = await oldKey.token(NOW, { exp: NOW / 1000 + 86_400 })
  await made.askBearer(seen)
  made.servers.onKeys = () => DOWN
  for (let hour = 0; hour < 20; hour += 1) {
    made.clock.advance(60 * MINUTE)
    expect(outcome(await made.askBearer(seen))).toBe('allow')
    expect(outcome(await made.askBearer(await oldKey.token(made.clock.now())))).toBe('allow')
  }
})

test('an unknown key while the server is down is 503: it may be good', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(oldKey)
  await made.askBearer(await oldKey.token(NOW))
  made.servers.onKeys = () => DOWN
  expect(outcome(await made.askBearer(await newKey.token(NOW)))).toBe(
    'unavailable authorization_server_unavailable',
  )
})

test('a key that is gone from the set ends its tokens, also those seen before', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(oldKey, newKey)
  const token = await oldKey.token(NOW)
  expect(outcome(await made.askBearer(token))).toBe('allow')
  made.serveKeys(newKey)
  made.clock.advance(5 * MINUTE)
  // The refresh runs behind this request, which is still decided by the keys at hand.
  expect(outcome(await made.askBearer(token))).toBe('allow')
  await made.askBearer(await newKey.token(made.clock.now()))
  expect(outcome(await made.askBearer(token))).toBe('401 unknown_key')
})

test('an older answer that arrives late brings no revoked key back', async () => {
  const made = new Harness([aPolicy()])
  made.serveKeys(newKey)
  await made.askBearer(await newKey.token(NOW))
  const stale = { keys: [{ ...oldKey.publicJwk }], fetchedAtMs: NOW - MINUTE }
  made.servers.onKeys = () => ({ ok: true, value: stale })
  expect(outcome(await made.askBearer(await oldKey.token(NOW)))).toBe('401 unknown_key')
  expect(outcome(await made.askBearer(await newKey.token(NOW, { jti: '2' })))).toBe('allow')
})

test('one unusable key in the set does not spoil the others', async () => {
  const made = new Harness([aPolicy()])
  const keys = [
    null as never,
    { kty: 'EC', kid: 'bad', crv: 'P-256', x: '!', y: '!' },
    { ...oldKey.publicJwk },
  ]
  made.servers.onKeys = () => ({ ok: true, value: { keys, fetchedAtMs: 0 } })
  expect(outcome(await made.askBearer(await oldKey.token(NOW)))).toBe('allow')
  expect(outcome(await made.askBearer(await newKey.token(NOW, {}, { kid: 'bad' })))).toBe('401 unknown_key')
})

test('a key for encryption verifies nothing', async () => {
  const made = new Harness([aPolicy()])
  const keys = [{ ...oldKey.publicJwk, use: 'enc' }]
  made.servers.onKeys = () => ({ ok: true, value: { keys, fetchedAtMs: 0 } })
  expect(outcome(await made.askBearer(await oldKey.token(NOW)))).toBe('401 unknown_key')
})
