import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { setCookiesIn } from '../auth/relying-party/browser.ts'
import { LoginWorld, policyOf } from '../auth/relying-party/login-fixture.ts'

const APP = 'https://app.example.com/orders'
const FORM_POST = policyOf({ authorizationCode: { responseMode: 'form_post', flowCookieSameSite: 'None' } })

const names = fc.constantFrom(
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'session_state',
  'id_token',
  '',
)
const words = fc.oneof(fc.string(), fc.constantFrom('CODE', 'STATE', 'access_denied', 'https://evil.example'))

it('a posted callback gives a session for its own code and state alone, whatever else came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, words), { maxLength: 6 }), async (pairs) => {
      const world = new LoginWorld([FORM_POST])
      const callback = new URL(world.server.authorize(await world.start(APP)))
      const real: Readonly<Record<string, string | null>> = {
        CODE: callback.searchParams.get('code'),
        STATE: callback.searchParams.get('state'),
      }
      const form = new URLSearchParams(pairs.map(([name, word]) => [name, real[word] ?? word]))
      const facts = { ...world.browser.go(callback.origin + callback.pathname), method: 'POST' }
      const outcome = await world.relyingParty.callback(world.snapshot, world.host, {
        ...facts,
        form: () => Promise.resolve(form),
      })
      const hasSession = setCookiesIn(outcome?.responseHeaders ?? []).some((each) => /_os_\d=[^;]/.test(each))
      const isReal =
        form.getAll('code').join() === real['CODE'] &&
        form.getAll('state').join() === real['STATE'] &&
        !form.has('error') &&
        !form.has('iss')
      if (hasSession) expect(form.getAll('state')).toEqual([real['STATE']])
      if (isReal) expect(hasSession).toBe(true)
      if (outcome?.kind === 'redirect') expect(outcome.status).toBe(303)
    }),
    { numRuns: 150 },
  )
})
