import { expect, test } from 'vitest'
import { parseObject } from '../../src/api/parse-object.ts'

function problemsOf(spec: object): readonly string[] {
  const parsed = parseObject({
    apiVersion: 'ostiary.dev/v1alpha1',
    kind: 'OIDCPlugin',
    metadata: { name: 'app' },
    spec: { issuer: 'https://login.example.com', ...spec },
  })
  if (parsed.kind !== 'object' || parsed.object.kind !== 'OIDCPlugin' || parsed.object.spec.ok) return []
  return parsed.object.spec.problems.map(({ path, message }) => `${path} ${message}`)
}

test.each<[object, string]>([
  [{ scopesRequired: [] }, 'spec.scopesRequired must not be empty'],
  [{ scopesRequired: [''] }, 'spec.scopesRequired[0] must not be empty'],
  [{ timeout: 5 }, 'spec.timeout must be 100 or more'],
  [{ sessionIdlingTimeout: -1 }, 'spec.sessionIdlingTimeout must be 0 or more'],
  [{ hideCredentials: 'yes' }, 'spec.hideCredentials must be of type boolean'],
  [{ clientId: 123 }, 'spec.clientId must be of type string; put it in quotes'],
  [{ scopes: 'openid' }, 'spec.scopes must be of type array'],
  [
    { clientSecret: 'hunter2' },
    'spec.clientSecret is not a known field; remove it, or mend its spelling (did you mean clientSecretRef?)',
  ],
  [
    { completelyDifferent: 1 },
    'spec.completelyDifferent is not a known field; remove it, or mend its spelling',
  ],
])('%j is told in words', (spec, problem) => {
  expect(problemsOf(spec)).toEqual([problem])
})

test('lists that are too long say how long they may be', () => {
  const scopesRequired = Array.from({ length: 1000 }, (_, index) => `s${index}`)
  expect(problemsOf({ scopesRequired })[0]).toMatch(/^spec\.scopesRequired must be \d+ or less items$/)
})
