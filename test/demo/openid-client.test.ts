import * as openid from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../deploy/demo/authorization-server/authorization-server.ts'
import { signIn } from '../support/okta-server-sign-in.ts'
import { CALLBACK } from './okta.ts'

// A client library that checks every answer as the specifications have it finds what our own tests do not think of.

let server: AuthorizationServer

beforeAll(async () => {
  server = await startAuthorizationServer({ port: 0 })
})

afterAll(() => server.close())

async function discover(clientId: string, secret: string, algorithm: 'oidc' | 'oauth2' = 'oidc') {
  return openid.discovery(new URL(server.issuer), clientId, undefined, openid.ClientSecretBasic(secret), {
    execute: [openid.allowInsecureRequests],
    algorithm,
  })
}

test('client credentials, introspection and revocation', async () => {
  const orders = await discover('orders-service', 'orders-secret', 'oauth2')
  const { access_token: token } = await openid.clientCredentialsGrant(orders, { scope: 'orders.read' })
  const ostiary = await discover('ostiary', 'ostiary-secret')
  expect((await openid.tokenIntrospection(ostiary, token)).active).toBe(true)
  await openid.tokenRevocation(orders, token)
  expect((await openid.tokenIntrospection(ostiary, token)).active).toBe(false)
})

test('code flow, userinfo, refresh and logout', async () => {
  const config = await discover('ostiary', 'ostiary-secret')
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid profile offline_access',
    state: 's',
    nonce: 'n',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const outcome = await signIn(url)
  if (outcome.kind !== 'redirect') throw new Error('no redirect')
  const checks = { pkceCodeVerifier, expectedState: 's', expectedNonce: 'n', idTokenExpected: true }
  const tokens = await openid.authorizationCodeGrant(config, outcome.location, checks)
  const { sub = '' } = tokens.claims() ?? {}
  expect(await openid.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ name: 'Alice Archer' })
  const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '')
  expect(renewed.claims()?.sub).toBe(sub)
  expect(openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '' }).href).toContain(
    `${server.issuer}/v1/logout`,
  )
})
