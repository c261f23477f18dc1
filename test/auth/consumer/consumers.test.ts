import { beforeAll, describe, expect, test } from 'vitest'
import type { ConsumerPolicy, Policy } from '../../../src/table/policy.ts'
import type { Route } from '../../../src/table/routing-table.ts'
import { aPolicy } from '../../support/a-policy.ts'
import { Harness, outcome, upstreamHeaders } from '../../support/authorizer-harness.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

const CONSUMERS = [
  { id: 'uid-a', username: 'alice', customId: 'alice@example.com', groups: ['staff', 'ops'] },
  { id: 'uid-b', username: 'bob', groups: [] },
  { id: 'uid-c', customId: 'bob', groups: ['custom'] },
  { id: 'uid-g', username: 'guest', groups: ['guests'] },
]
const BY_SUBJECT: ConsumerPolicy = {
  claims: [['sub']],
  by: ['customId', 'username'],
  optional: false,
  credentialClaim: ['sub'],
}

function harness(
  consumer: Partial<ConsumerPolicy>,
  route: Partial<Route> = {},
  more: Partial<Policy> = {},
): Harness {
  const policy = aPolicy({ consumer: { ...BY_SUBJECT, ...consumer }, ...more })
  const made = new Harness([policy], { consumers: CONSUMERS, route })
  made.serveKeys(signer)
  return made
}

async function ask(
  made: Harness,
  claims: Readonly<Record<string, unknown>> = {},
): ReturnType<Harness['askBearer']> {
  return await made.askBearer(await signer.token(NOW, claims))
}

describe('mapping', () => {
  test('tells upstreams who the consumer is', async () => {
    const decision = await ask(harness({}))
    expect(decision).toMatchObject({
      identity: {
        subject: 'alice@example.com',
        consumer: { id: 'uid-a', username: 'alice', customId: 'alice@example.com' },
        groups: ['staff', 'ops'],
      },
    })
    const { authorization: _, ...headers } = upstreamHeaders(decision)
    expect(headers).toEqual({
      'x-consumer-id': 'uid-a',
      'x-consumer-custom-id': 'alice@example.com',
      'x-consumer-username': 'alice',
      'x-consumer-groups': 'staff, ops',
    })
  })

  test('compares in the order of consumerBy, and only what it names', async () => {
    const consumerOf = async (by: ConsumerPolicy['by']): Promise<string | undefined> =>
      upstreamHeaders(await ask(harness({ by }), { sub: 'bob' }))['x-consumer-id']
    expect(await consumerOf(['customId', 'username'])).toBe('uid-c')
    expect(await consumerOf(['username', 'customId'])).toBe('uid-b')
    expect(outcome(await ask(harness({ by: ['customId'] }), { sub: 'alice' }))).toBe('403 no_consumer')
  })

  test('takes the first claim that is present, and no other', async () => {
    const claims = [['preferred_username'], ['sub']]
    expect(upstreamHeaders(await ask(harness({ claims })))['x-consumer-id']).toBe('uid-a')
    expect(outcome(await ask(harness({ claims }), { preferred_username: 'nobody' }))).toBe('403 no_consumer')
    expect(outcome(await ask(harness({ claims }), { preferred_username: ['alice'] }))).toBe('403 no_consumer')
  })

  test.each(['ALICE', 'alice ', '', 'constructor', '__proto__'])('finds nobody for %j', async (sub) => {
    expect(outcome(await ask(harness({}), { sub }))).toBe('403 no_consumer')
  })

  test('finds nobody of another namespace', async () => {
    const made = harness({})
    made.publish({ consumers: { default: [], other: CONSUMERS } })
    expect(outcome(await ask(made))).toBe('403 no_consumer')
  })
})

describe('a caller without a consumer', () => {
  test('passes where it is optional, with the credential’s subject', async () => {
    const headers = upstreamHeaders(await ask(harness({ optional: true }), { sub: 'stranger' }))
    expect(headers).toMatchObject({ 'x-credential-identifier': 'stranger' })
    expect(headers).not.toHaveProperty('x-consumer-id')
  })

  test('becomes the fallback consumer, and says so', async () => {
    const decision = await ask(harness({ anonymous: 'guest' }), { sub: 'stranger' })
    expect(upstreamHeaders(decision)).toMatchObject({
      'x-consumer-id': 'uid-g',
      'x-consumer-groups': 'guests',
      'x-anonymous-consumer': 'true',
    })
    expect(outcome(await ask(harness({ anonymous: 'gone' }), { sub: 'stranger' }))).toBe(
      'unavailable anonymous_consumer_not_found',
    )
  })

  test('a consumer that is found is not anonymous', async () => {
    expect(upstreamHeaders(await ask(harness({ anonymous: 'guest' })))).not.toHaveProperty(
      'x-anonymous-consumer',
    )
  })
})

test('a consumer that is deleted is gone for tokens seen before', async () => {
  const made = harness({})
  const token = await signer.token(NOW)
  expect(outcome(await made.askBearer(token))).toBe('allow')
  made.publish({ consumers: { default: [] } })
  expect(outcome(await made.askBearer(token))).toBe('403 no_consumer')
})

describe('the route’s groups', () => {
  test.each([
    ['an allowed group', { allowGroups: ['x', 'ops'] }, {}, 'allow'],
    ['no allowed group', { allowGroups: ['x'] }, {}, '403 group_denied'],
    ['an empty allow list', { allowGroups: [] }, {}, '403 group_denied'],
    ['a denied group', { denyGroups: ['ops'] }, {}, '403 group_denied'],
    ['no denied group', { denyGroups: ['x'] }, {}, 'allow'],
    ['both, denied', { allowGroups: ['staff'], denyGroups: ['ops'] }, {}, '403 group_denied'],
    ['no groups at all', { allowGroups: ['staff'] }, { sub: 'bob', by: ['username'] }, '403 group_denied'],
    ['no consumer, allow list', { allowGroups: ['staff'] }, { sub: 'stranger' }, '403 group_denied'],
    ['no consumer, deny list', { denyGroups: ['staff'] }, { sub: 'stranger' }, '403 group_denied'],
  ] as const)(
    '%s',
    async (
      _name,
      accessControl,
      { sub = 'alice', by = BY_SUBJECT.by }: { sub?: string; by?: ConsumerPolicy['by'] },
      expected,
    ) => {
      const made = harness({ optional: true, by }, { accessControl })
      expect(outcome(await ask(made, { sub }))).toBe(expected)
    },
  )

  test('are not the token’s groups: only a consumer’s count', async () => {
    const made = harness({ claims: [] }, { accessControl: { allowGroups: ['Engineering'] } })
    expect(await ask(made)).toMatchObject({ status: 403, message: 'You cannot consume this service' })
  })
})

test('no mapped claim can overwrite who the consumer is, or the token', async () => {
  const mapping = ['x-consumer-id', 'authorization', 'x-mine'].map((header) => ({ header, path: ['evil'] }))
  const made = harness(
    {},
    {},
    { upstreamHeaders: mapping, downstreamHeaders: [{ header: 'x-out', path: ['sub'] }] },
  )
  const decision = await ask(made, { evil: 'root' })
  expect(upstreamHeaders(decision)).toMatchObject({ 'x-consumer-id': 'uid-a', 'x-mine': 'root' })
  expect(upstreamHeaders(decision)['authorization']).toMatch(/^Bearer ey/)
  expect(decision.responseHeaders).toEqual([['x-out', 'alice@example.com']])
})
