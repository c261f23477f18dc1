import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { API_VERSION } from '../../src/api/consumer.ts'
import { SPEC_CASES, type SpecCase } from '../api/spec-cases.ts'
import { clusterRequirement } from '../support/requirements.ts'

function kubectl(args: readonly string[], input?: string): string {
  return execFileSync('kubectl', [...args], {
    encoding: 'utf8',
    stdio: 'pipe',
    ...(input !== undefined && { input }),
  })
}

/** What the API server says to a create that is not stored: `undefined` when it takes the object, else its reason. */
function refusal({ kind, spec }: SpecCase): string | undefined {
  const object = { apiVersion: API_VERSION, kind, metadata: { name: 'case', namespace: 'default' }, spec }
  try {
    kubectl(['create', '--dry-run=server', '--validate=false', '-f', '-'], JSON.stringify(object))
    return undefined
  } catch (error) {
    return String((error as { stderr: unknown }).stderr)
  }
}

describe.skipIf(clusterRequirement())('the CRDs on a real API server', () => {
  beforeAll(() => {
    kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'crds/'])
    kubectl([
      'wait',
      '--for=condition=Established',
      '--timeout=60s',
      'crd/oidcplugins.ostiary.dev',
      'crd/consumers.ostiary.dev',
    ])
  })

  test('are structural and pass their own checks', () => {
    for (const name of ['oidcplugins.ostiary.dev', 'consumers.ostiary.dev']) {
      const { status } = JSON.parse(kubectl(['get', 'crd', name, '-o', 'json'])) as {
        status: { conditions: { type: string; status: string }[] }
      }
      expect(
        status.conditions.filter((each) => each.type === 'NonStructuralSchema' && each.status === 'True'),
      ).toEqual([])
    }
  })

  test.each(SPEC_CASES.filter((each) => each.verdict !== 'bad'))('$kind with $name is taken', (each) => {
    expect(refusal(each)).toBeUndefined()
  })

  test.each(SPEC_CASES.filter((each) => each.verdict === 'bad'))('$kind with $name is refused', (each) => {
    expect(refusal(each)).toMatch(/is invalid|cannot be handled|unknown|must be/)
  })

  test('a misspelt field is kept for Ostiary to refuse', () => {
    const object = {
      apiVersion: API_VERSION,
      kind: 'OIDCPlugin',
      metadata: { name: 'typo', namespace: 'default' },
    }
    const spec = { issuer: 'https://example.com', groupRequired: ['admin'] }
    const text = kubectl(
      ['create', '--dry-run=server', '--validate=false', '-o', 'json', '-f', '-'],
      JSON.stringify({ ...object, spec }),
    )
    expect((JSON.parse(text) as { spec: unknown }).spec).toMatchObject({ groupRequired: ['admin'] })
  })
})
