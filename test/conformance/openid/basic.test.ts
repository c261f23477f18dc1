import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { broken, CLIENT, Suite, USER_INFO, without, type Script } from './suite.ts'

async function accepted(spec: Record<string, unknown>, script: (suite: Suite) => Script = () => ({})) {
  const suite = await Suite.start(spec)
  const browser = suite.browser()
  const landed = await suite.login(script(suite), browser)
  return { suite, headers: await suite.expectAccepted(landed, browser) }
}

async function rejected(spec: Record<string, unknown>, script: (suite: Suite) => Script): Promise<Suite> {
  const suite = await Suite.start(spec)
  const browser = suite.browser()
  await suite.expectRejected(await suite.login(script(suite), browser), browser)
  return suite
}

// oidcc-client-basic-certification-test-plan and oidcc-client-formpost-basic-certification-test-plan.
describe.each(['query', 'form_post'])('response mode %s', (responseMode) => {
  const SPEC = { responseMode }

  test('oidcc-client-test', async () => {
    const { suite, headers } = await accepted(SPEC)
    expect(headers['X-Sub']).toEqual([USER_INFO.sub])
    expect(suite.server.last('token').form.get('grant_type')).toBe('authorization_code')
    expect(suite.server.count('userinfo')).toBe(1)
  })

  test('oidcc-client-test-invalid-iss', async () => {
    await rejected(SPEC, () => ({ claims: (right) => ({ ...right, iss: `${String(right['iss'])}1` }) }))
  })

  test('oidcc-client-test-missing-sub', async () => {
    await rejected(SPEC, () => ({ claims: without('sub') }))
  })

  test('oidcc-client-test-invalid-aud', async () => {
    await rejected(SPEC, () => ({ claims: (right) => ({ ...right, aud: `${CLIENT.id}1` }) }))
  })

  test('oidcc-client-test-missing-aud', async () => {
    await rejected(SPEC, () => ({ claims: without('aud') }))
  })

  test('oidcc-client-test-missing-iat', async () => {
    await rejected(SPEC, () => ({ claims: without('iat') }))
  })

  test('oidcc-client-test-kid-absent-single-jwks', async () => {
    await accepted(SPEC, (suite) => {
      const { kid: _kid, alg: _alg, ...bare } = suite.server.signingKey.publicJwk
      suite.publish(bare)
      return { sign: suite.signUnder({}) }
    })
  })

  // The suite leaves it to the relying party whether to refuse; ours tries each key.
  test('oidcc-client-test-kid-absent-multiple-jwks', async () => {
    const { publicKey } = await generateKeyPair('RS256')
    const other = await exportJWK(publicKey)
    await accepted(SPEC, (suite) => {
      const { kid: _kid, alg: _alg, ...bare } = suite.server.signingKey.publicJwk
      suite.publish({ ...other, use: 'sig' }, bare)
      return { sign: suite.signUnder({}) }
    })
  })

  test('oidcc-client-test-idtoken-sig-rs256', async () => {
    await accepted(SPEC, (suite) => ({ sign: suite.signUnder({ kid: suite.server.signingKey.kid }) }))
  })

  // The suite leaves it to the relying party, and calls the module skipped where it refuses.
  test('oidcc-client-test-idtoken-sig-none', async () => {
    await rejected(SPEC, () => ({ sign: (claims) => new UnsecuredJWT({ ...claims }).encode() }))
  })

  test('oidcc-client-test-invalid-sig-rs256', async () => {
    await rejected(SPEC, (suite) => ({
      sign: async (claims) => broken(await suite.server.sign({ ...claims })),
    }))
  })

  test('oidcc-client-test-invalid-sig-es256', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const published = await exportJWK(publicKey)
    await rejected(SPEC, (suite) => {
      suite.publish({ ...published, kid: 'es' })
      suite.server.behave('discovery', () => ({
        body: { ...suite.server.metadata(), id_token_signing_alg_values_supported: ['ES256'] },
      }))
      return {
        sign: async (claims) =>
          broken(
            await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'es' }).sign(privateKey),
          ),
      }
    })
  })

  // Whether its signature is good or not: the key is a secret that servers show in many places.
  test('oidcc-client-test-invalid-sig-hs256', async () => {
    const key = new TextEncoder().encode(CLIENT.secret.padEnd(32, '.'))
    await rejected(SPEC, (suite) => {
      suite.server.behave('discovery', () => ({
        body: { ...suite.server.metadata(), id_token_signing_alg_values_supported: ['HS256'] },
      }))
      return { sign: (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(key) }
    })
  })

  test('oidcc-client-test-userinfo-invalid-sub', async () => {
    const suite = await Suite.start(SPEC)
    suite.server.behave('userinfo', () => ({ body: { ...USER_INFO, sub: `${USER_INFO.sub}invalid` } }))
    const browser = suite.browser()
    const headers = await suite.expectAccepted(await suite.login({}, browser), browser)
    expect(headers['X-Sub']).toEqual([USER_INFO.sub])
    expect(headers['X-Email']).toBeUndefined()
  })

  test('oidcc-client-test-nonce-invalid', async () => {
    await rejected(SPEC, () => ({ claims: (right) => ({ ...right, nonce: `${String(right['nonce'])}1` }) }))
    await rejected(SPEC, () => ({ claims: without('nonce') }))
  })

  test('oidcc-client-test-nonce-unless-code-flow', async () => {
    const suite = await Suite.start(SPEC)
    const asked = await suite.authorizationRequest(suite.browser())
    expect(asked.get('nonce')).toMatch(/^[\w-]{43}$/)
    expect(asked.get('response_mode')).toBe(responseMode === 'query' ? null : responseMode)
  })

  test('oidcc-client-test-scope-userinfo-claims', async () => {
    const suite = await Suite.start(SPEC)
    const browser = suite.browser()
    expect((await suite.authorizationRequest(browser)).get('scope')).toBe('openid profile email')
    const headers = await suite.expectAccepted(await suite.login({}, browser), browser)
    expect(headers['X-Email']).toEqual([USER_INFO.email])
  })

  test('oidcc-client-test-userinfo-bearer-header', async () => {
    const { suite } = await accepted(SPEC)
    const { method, headers, form } = suite.server.last('userinfo')
    expect([method, headers.authorization, form.size]).toEqual(['GET', 'Bearer token-1', 0])
  })

  test('oidcc-client-test-client-secret-basic', async () => {
    const { suite } = await accepted(SPEC)
    const { headers, form } = suite.server.last('token')
    // RFC 6749 §2.3.1: both are form-urlencoded before they are joined.
    expect(headers.authorization).toBe(`Basic ${Buffer.from('app:s%3Ae+cret%25').toString('base64')}`)
    expect(form.has('client_secret')).toBe(false)
  })
})

test('oidcc-client-test-form-post-error', async () => {
  const suite = await Suite.start({
    responseMode: 'form_post',
    authorizationQueryArgsNames: ['prompt', 'max_age'],
    authorizationQueryArgsValues: ['none', '0'],
  })
  const browser = suite.browser()
  const asked = await suite.authorizationRequest(browser)
  expect([asked.get('prompt'), asked.get('max_age'), asked.get('response_mode')]).toEqual([
    'none',
    '0',
    'form_post',
  ])
  const page = await suite.callBack(browser, asked, { error: 'login_required' })
  expect(await page.clone().text()).toContain('login_required')
  await suite.expectRejected(page, browser)
  expect(suite.server.count('token')).toBe(0)
})

test('oidcc-client-test-3rd-party-init-login', async () => {
  const suite = await Suite.start()
  const browser = suite.browser()
  const initiate = `/oauth2/start?iss=${encodeURIComponent(suite.server.issuer)}&rd=/app`
  const start = await browser.navigate(initiate, 'cross-site')
  const asked = browser.locationOf(start).searchParams
  suite.answerToken({}, asked.get('nonce'))
  await suite.expectAccepted(await suite.callBack(browser, asked, { code: 'code' }), browser)
})
