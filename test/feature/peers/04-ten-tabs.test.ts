import { describe, expect, test } from 'vitest'
import { startLoginApp, type LoginApp } from '../../support/login-app.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const TABS = Array.from({ length: 10 }, (_, tab) => `/app/tab%20${tab}?n=${tab}&x=%2F`)

/** Follows one tab from its authorization request to where it lands in the end. */
async function finish({ browser }: LoginApp, start: Response): Promise<string> {
  let answer = await browser.navigate((await browser.signIn(start)).href, 'cross-site')
  // Of a flow that another tab overwrote: it starts again, once.
  if (browser.locationOf(answer).origin !== browser.origin) {
    answer = await browser.navigate((await browser.signIn(answer)).href, 'cross-site')
  }
  const location = browser.locationOf(answer)
  return location.pathname + location.search
}

/** A fixed shuffle of ten. */
const ORDERS: Readonly<Record<string, readonly number[]>> = {
  'the order in which they were opened': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  'the reverse order': [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  'any order': [3, 9, 0, 5, 7, 1, 8, 2, 6, 4],
}

describe('peers 4: ten tabs that were opened logged out', () => {
  test.each(Object.entries(ORDERS))('all land on their own URL when finished in %s', async (_name, order) => {
    const app = await startLoginApp()
    const starts: Response[] = []
    for (const tab of TABS) starts.push(await app.browser.navigate(tab))
    for (const tab of order) expect(await finish(app, starts[tab]!)).toBe(TABS[tab])
    for (const tab of TABS) expect((await app.browser.navigate(tab)).status).toBe(200)
  })

  test('a callback whose state has expired goes on where there is a valid session', async () => {
    const clock = new ManualClock(Date.now())
    const app = await startLoginApp({}, { clock })
    const { browser } = app
    const callback = await browser.signIn(await browser.navigate('/app/late?x=1'))
    clock.advance(601_000)
    await browser.login('/app/early')
    const answer = await browser.navigate(callback.href, 'cross-site')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/app/late?x=1'])
  })

  test('one whose state has expired without a session starts again, once', async () => {
    const clock = new ManualClock(Date.now())
    const app = await startLoginApp({}, { clock })
    const { browser } = app
    const callback = await browser.signIn(await browser.navigate('/app/late?x=1'))
    clock.advance(601_000)
    const again = await browser.navigate(callback.href, 'cross-site')
    const second = await browser.signIn(again)
    clock.advance(601_000)
    const refused = await browser.navigate(second.href, 'cross-site')
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null])
    expect(refused.headers.get('content-type')).toContain('text/html')
  })
})
