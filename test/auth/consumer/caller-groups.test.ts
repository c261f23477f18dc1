import { beforeAll, describe, expect, test } from 'vitest'
import type { AuthDecision } from '../../../src/auth/decision.ts'
import type { ConsumerPolicy } from '../../../src/table/policy.ts'
import type { AccessControl } from '../../../src/table/routing-table.ts'
import { aPolicy } from '../../support/a-policy.ts'
import { Harness, outcome, someFacts, upstreamHeaders } from '../../support/authorizer-harness.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Signer } from '../../support/signed-tokens.ts'

const NOW = new ManualClock().now()
let signer: Signer

beforeAll(async () => {
  signer = await Signer.create('k1')
})

const CONSUMERS = [
  { id: 'uid-a', username: 'alice', groups: ['staff'] },
  { id: 'uid-g', username: 'guest', groups: ['guests'] },
]

function harness(consumer: Partial<ConsumerPolicy>, accessControl: AccessControl = {}): Harness {
  const policy = aPolicy({ consumer: { ...aPolicy().consumer, groupsClaim: ['groups'], ...consumer } })
  const made = new Harness([policy], { consumers: CONSUMERS, route: { accessControl } })
  made.serveKeys(signer)
  return made
}

async function ask(made: Harness, claims: Readonly<Record<string, unknown>> = {}): Promise<AuthDecision> {
  return await made.askBearer(await signer.token(NOW, claims))
}

const ALICE = { claims: [['sub']] }

describe('authenticatedGroupsClaim', () => {
  test.each([
    ['an allowed group', { allowGroups: ['Engineering'] }, {}, 'allow'],
    ['no allowed group', { allowGroups: ['Sales'] }, {}, '403 group_denied'],
    ['a denied group', { denyGroups: ['Engineering'] }, {}, '403 group_denied'],
    ['no denied group', { denyGroups: ['Sales'] }, {}, 'allow'],
    ['no groups claim, denied', { denyGroups: ['Sales'] }, { groups: undefined }, '403 group_denied'],
    ['no groups at all, denied', { denyGroups: ['Sales'] }, { groups: [] }, 'allow'],
    ['no groups at all, allowed', { allowGroups: ['Sales'] }, { groups: [] }, '403 group_denied'],
    ['a name with a space', { allowGroups: ['Kong Admins'] }, { groups: ['Kong Admins'] }, 'allow'],
    ['a part of such a name', { allowGroups: ['Admins'] }, { groups: ['Kong Admins'] }, '403 group_denied'],
    ['an object in its place', { allowGroups: ['a'] }, { groups: { a: true } }, '403 group_denied'],
  ])('without a consumer, judges %s', async (_name, control, claims, expected) => {
    expect(outcome(await ask(harness({}, control), claims))).toBe(expected)
  })

  test('does not count where there is a consumer, whose own groups do', async () => {
    const control = { allowGroups: ['Engineering'] }
    expect(outcome(await ask(harness(ALICE, control), { sub: 'alice' }))).toBe('403 group_denied')
    const own = await ask(harness(ALICE, { allowGroups: ['staff'] }), { sub: 'alice' })
    expect(upstreamHeaders(own)).toMatchObject({
      'x-consumer-groups': 'staff',
      'x-authenticated-groups': 'Everyone, Engineering',
    })
  })

  test('counts before the groups of the anonymous consumer, which stand in where the claim is absent', async () => {
    const anonymous = { ...ALICE, anonymous: 'guest' }
    const control = { allowGroups: ['Engineering'] }
    expect(outcome(await ask(harness(anonymous, control), { sub: 'stranger' }))).toBe('allow')
    const absent = { sub: 'stranger', groups: undefined }
    expect(outcome(await ask(harness(anonymous, control), absent))).toBe('403 group_denied')
    expect(outcome(await ask(harness(anonymous, { allowGroups: ['guests'] }), absent))).toBe('allow')
  })

  test('gives nobody groups who came without a credential', async () => {
    const made = harness({ ...ALICE, anonymous: 'guest' }, { allowGroups: ['guests'] })
    const headers = upstreamHeaders(await made.ask(someFacts({ 'x-authenticated-groups': 'Engineering' })))
    expect(headers).toMatchObject({ 'x-consumer-groups': 'guests', 'x-anonymous-consumer': 'true' })
    expect(headers).not.toHaveProperty('x-authenticated-groups')
  })

  test('is told upstream one by one, and no group passes for two', async () => {
    const groups = async (value: unknown): Promise<string | undefined> =>
      upstreamHeaders(await ask(harness({}), { groups: value }))['x-authenticated-groups']
    expect(await groups(['a', 'b'])).toBe('a, b')
    expect(await groups('openid email profile')).toBe('openid, email, profile')
    expect(await groups(['a, admin', 'b\r\nx: y'])).toBe('a%2C admin, b%0D%0Ax: y')
    expect(await groups([])).toBeUndefined()
  })

  test('follows a path, and speaks of groups that were left out for their number', async () => {
    const nested = { groupsClaim: ['realm', 'groups'] }
    const control = { allowGroups: ['a'] }
    expect(outcome(await ask(harness(nested, control), { realm: { groups: ['a'] } }))).toBe('allow')
    const overage = { groups: undefined, _claim_names: { groups: 'src1' } }
    expect(outcome(await ask(harness({}, control), overage))).toBe('403 group_overage')
  })

  test('is who the caller is, also for logs', async () => {
    expect(await ask(harness({}))).toMatchObject({ identity: { groups: ['Everyone', 'Engineering'] } })
  })
})

describe('credentialClaim', () => {
  const identifier = async (
    consumer: Partial<ConsumerPolicy>,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<string | undefined> =>
    upstreamHeaders(await ask(harness(consumer), claims))['x-credential-identifier']

  test('names a caller without consumer, by path', async () => {
    expect(await identifier({}, {})).toBe('alice@example.com')
    expect(await identifier({ credentialClaim: ['cid'] }, {})).toBe('orders-service')
    expect(await identifier({ credentialClaim: ['a', 'b'] }, { a: { b: 7 } })).toBe('7')
  })

  test('names nobody by another claim, and no consumer', async () => {
    expect(await identifier({ credentialClaim: ['gone'] }, {})).toBeUndefined()
    expect(await identifier({ credentialClaim: ['groups'] }, {})).toBeUndefined()
    expect(await identifier(ALICE, { sub: 'alice' })).toBeUndefined()
  })

  test('cannot end the header or begin another', async () => {
    expect(await identifier({}, { sub: 'a\r\nx-consumer-id: root' })).toBe('a%0D%0Ax-consumer-id: root')
  })
})

test('more groups than a token holds are not those of the anonymous consumer: a denied one may be among them', async () => {
  const made = harness({ claims: [['sub']], anonymous: 'guest' }, { denyGroups: ['contractors'] })
  const overage = { sub: 'stranger', groups: undefined, _claim_names: { groups: 'src1' } }
  expect(outcome(await ask(made, overage))).toBe('403 group_overage')
  expect(outcome(await ask(made, { sub: 'stranger', groups: undefined }))).toBe('allow')
  expect(outcome(await ask(made, { ...overage, sub: 'alice' }))).toBe('allow')
})
