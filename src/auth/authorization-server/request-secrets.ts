const SECRET_PARAMETERS = [
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'refresh_token',
  'token',
]

/** What a request to an authorization server sends in secret, raw and as encoded, so that no echo is passed on. */
export function secretsOf(
  headers: Readonly<Record<string, string>> | undefined,
  form: URLSearchParams,
): readonly string[] {
  const secrets = SECRET_PARAMETERS.flatMap((name) => form.getAll(name))
  const encoded = /^Basic (.+)$/.exec(headers?.['authorization'] ?? '')?.[1]
  if (encoded !== undefined) secrets.push(encoded, ...passwords(encoded))
  return secrets
}

function passwords(encoded: string): readonly string[] {
  const [, password = ''] = Buffer.from(encoded, 'base64').toString('latin1').split(':', 2)
  return [password, new URLSearchParams(`p=${password}`).get('p') ?? '']
}
