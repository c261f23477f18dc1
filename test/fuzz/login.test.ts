import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HeaderList } from '../../src/auth/decision.ts'
import type { LoginOutcome } from '../../src/auth/relying-party/finish-login.ts'
import { setCookiesIn } from '../auth/relying-party/browser.ts'
import { LoginWorld } from '../auth/relying-party/login-fixture.ts'
import { seedsOf } from './corpus.ts'
import { mutated, mutatedText } from './mutation.ts'

const APP = 'https://app.example.com/orders?page=2'

function beginsSession(headers: HeaderList): boolean {
  return setCookiesIn(headers).some((each) => /_os_\d=[^;]/.test(each))
}

/** A browser is sent to this site or to its own authorization server, whatever came. */
function expectSafe(world: LoginWorld, outcome: LoginOutcome | undefined): void {
  if (outcome?.kind !== 'redirect') return
  const { origin } = new URL(outcome.location, APP)
  expect([new URL(APP).origin, new URL(world.policy.server.issuer).origin]).toContain(origin)
}

describe('callbacks', () => {
  const seeds = seedsOf('callback').map(({ bytes }) => bytes)

  async function judge(text: string): Promise<void> {
    const world = new LoginWorld()
    const callback = new URL(world.server.authorize(await world.start(APP)))
    const code = callback.searchParams.get('code') ?? ''
    const state = callback.searchParams.get('state') ?? ''
    const issuer = world.policy.server.issuer
    const query = text
      .replaceAll('CODE', encodeURIComponent(code))
      .replaceAll('STATE', encodeURIComponent(state))
      .replaceAll('ISSUER', encodeURIComponent(issuer))
    const facts = world.browser.go(callback.origin + callback.pathname)
    const outcome = await world.relyingParty.callback(world.snapshot, world.host, {
      ...facts,
      query,
      target: `${facts.path}?${query}`,
    })
    expectSafe(world, outcome)
    if (!beginsSession(outcome?.responseHeaders ?? [])) return
    const sent = new URLSearchParams(query)
    expect(sent.getAll('code')).toEqual([code])
    expect(sent.getAll('state')).toEqual([state])
    expect(sent.has('error')).toBe(false)
    expect(['', issuer]).toContain(sent.getAll('iss').join())
  }

  test.each(seedsOf('callback'))('$name', async ({ bytes }) => {
    await judge(bytes.toString('latin1'))
  })

  test('that were changed begin a session for their own code and state alone', async () => {
    await fc.assert(fc.asyncProperty(mutatedText(seeds), judge), { numRuns: 250 })
  })

  test('are good once, in the browser that began, and for the issuer that was asked', async () => {
    const world = new LoginWorld()
    const good = world.server.authorize(await world.start(APP))
    const stranger = new LoginWorld([...world.policies], world.keys)
    stranger.server.codesAreReusable = true
    expect(beginsSession((await stranger.callback(good))?.responseHeaders ?? [])).toBe(false)
    const mixedUp = `${good}&iss=${encodeURIComponent('https://evil.example')}`
    expect(beginsSession((await world.callback(mixedUp))?.responseHeaders ?? [])).toBe(false)
    const another = world.server.authorize(await world.start(APP))
    expect(beginsSession((await world.callback(another))?.responseHeaders ?? [])).toBe(true)
    const grants = world.server.grants.length
    world.server.codesAreReusable = true
    await world.callback(another)
    expect(world.server.grants.length).toBe(grants)
  })
})

describe('state', () => {
  test('that was changed begins no session', async () => {
    const world = new LoginWorld()
    const callback = new URL(world.server.authorize(await world.start(APP)))
    const state = callback.searchParams.get('state') ?? ''
    const seeds = [state, state.slice(0, 40), '', 'a.b.c'].map((each) => Buffer.from(each))
    await fc.assert(
      fc.asyncProperty(mutatedText(seeds), async (changed) => {
        if (changed === state) return
        const url = new URL(callback)
        url.searchParams.set('state', changed)
        const facts = world.browser.go(url.href)
        const outcome = await world.relyingParty.callback(world.snapshot, world.host, facts)
        expectSafe(world, outcome)
        expect(beginsSession(outcome?.responseHeaders ?? [])).toBe(false)
      }),
      { numRuns: 300 },
    )
    expect(beginsSession((await world.callback(callback.href))?.responseHeaders ?? [])).toBe(true)
  })
})

describe('cookies', () => {
  test('that were changed are no session, and the unchanged one beside them still is', async () => {
    const world = new LoginWorld()
    await world.login(APP)
    const good = String(world.browser.go(APP).headers['cookie'])
    const [, name = '', value = ''] = /([^=;\s]+_os_\d)=([^;]+)/.exec(good) ?? []
    expect(value.length).toBeGreaterThan(100)
    const seeds = seedsOf('cookie').map(({ bytes }) =>
      Buffer.from(bytes.toString('latin1').replaceAll('NAME', name), 'latin1'),
    )
    const thread = world.newThread()
    await thread.openSession(world.snapshot, world.policy, world.browser.go(APP))
    const judge = async (bytes: Buffer): Promise<void> => {
      const cookie = bytes.toString('latin1')
      const facts = { ...world.browser.go(APP), headers: { cookie, accept: 'text/html' } }
      const lookup = await thread.openSession(world.snapshot, world.policy, facts)
      if (lookup.kind === 'session') expect(cookie).toContain(`${name}=${value}`)
      else expect(['none', 'invalid']).toContain(lookup.kind)
    }
    for (const seed of seeds) await judge(seed)
    await fc.assert(fc.asyncProperty(mutated([...seeds, Buffer.from(good)]), judge), { numRuns: 200 })
    const beside = `${name}=garbage; ${good}`
    const facts = { ...world.browser.go(APP), headers: { cookie: beside } }
    expect((await world.relyingParty.openSession(world.snapshot, world.policy, facts)).kind).toBe('session')
  })
})
