import type { Policy } from '../table/policy.ts'
import type { Advice } from './advice.ts'

/** Words that hold for any authorization server. */
export function genericAdvice(policy: Policy): Advice {
  const client = policy.client === undefined ? 'the client' : `the client ${policy.client.id}`
  const at = 'at the authorization server'
  return {
    issuer: 'Set spec.issuer to the issuer that the discovery document names, character by character.',
    keys: 'See that the jwks_uri answers with the public keys, or set spec.jwksEndpoint.',
    client:
      `See that ${client} is registered and active ${at}, that spec.clientAuth is the method it is registered with, ` +
      `and that its secret (or key) is the current one. ${secretAdvice(policy)}`,
    introspectionEndpoint: 'Set spec.introspectionEndpoint, or take introspection out of spec.authMethods.',
    authorizationEndpoint:
      'Set spec.authorizationEndpoint, or take authorization_code out of spec.authMethods.',
    grantType: (grantType) => `Allow ${client} the grant type ${grantType} ${at}.`,
    scopes: (scopes) =>
      `Create the scopes ${scopes.join(', ')} ${at} and allow them to ${client}, or take them out of spec.scopes.`,
    accessPolicy: `Allow ${client} these scopes in the policies of the authorization server.`,
    audience:
      'Make spec.audienceRequired equal to what the tokens of this API name in aud, or register that audience.',
    redirectUri: (uris) => `Register exactly this redirect URI for ${client} ${at}: ${uris.join(' or ')}`,
    claim: (name) =>
      `Have the authorization server put the claim ${name} into access tokens (or introspection answers) of ${client}.`,
  }
}

/** Where the client's secret or key is, by names alone. */
export function secretAdvice({ client, namespace }: Policy): string {
  const [, name, key] = (client?.key ?? client?.secret)?.split('/') ?? []
  if (name === undefined || key === undefined) return ''
  const from =
    client?.key === undefined ? `--from-literal=${key}="$CLIENT_SECRET"` : `--from-file=${key}=key.pem`
  return (
    `It is read from the key ${key} of the Secret ${name}: kubectl create secret generic ${name} -n ${namespace} ` +
    `${from} --dry-run=client -o yaml | kubectl label --local -f - -o yaml ` +
    'ostiary.dev/secret=true | kubectl apply -f -'
  )
}
