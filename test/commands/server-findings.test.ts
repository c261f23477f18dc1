import { expect, test } from 'vitest'
import type { OutboundCall } from '../../src/auth/authorization-server/outbound-fetch.ts'
import { ServerFindings } from '../../src/commands/server-findings.ts'
import { EMPTY_TABLE, type RoutingTable } from '../../src/table/routing-table.ts'
import { aPolicy, aServer } from '../support/a-policy.ts'

const server = aServer()
const other = aServer('https://other.example.com')

function call(rest: Partial<OutboundCall> = {}): OutboundCall {
  const { id: serverId, issuer } = server
  return { serverId, issuer, endpoint: 'discovery', outcome: 'unavailable', durationMs: 1, ...rest }
}

function tableOf(...servers: (typeof server)[]): RoutingTable {
  const policies = servers.map((each, n) => aPolicy({ id: `shop/p${n}`, server: each }))
  return { ...EMPTY_TABLE, policies: Object.fromEntries(policies.map((policy) => [policy.id, policy])) }
}

function reasons(findings: ServerFindings, table: RoutingTable): Record<string, string> {
  return Object.fromEntries([...findings.of(table)].map(([id, { reason }]) => [id, reason]))
}

test('every plugin of a server whose metadata or keys failed is told, until the next call that succeeds', () => {
  const findings = new ServerFindings()
  const table = tableOf(server, other, server)
  expect(reasons(findings, table)).toEqual({})
  findings.called(call({ endpoint: 'jwks', outcome: 'refused' }), 0)
  expect(reasons(findings, table)).toEqual({ 'shop/p0': 'KeysUnavailable', 'shop/p2': 'KeysUnavailable' })
  findings.called(call(), 0)
  expect(reasons(findings, table)).toEqual({ 'shop/p0': 'DiscoveryFailed', 'shop/p2': 'DiscoveryFailed' })
  findings.called(call({ outcome: 'ok' }), 0)
  findings.called(call({ endpoint: 'jwks', outcome: 'ok' }), 0)
  expect(reasons(findings, table)).toEqual({})
})

test('the command that says why names the plugin', () => {
  const findings = new ServerFindings()
  findings.called(call(), 0)
  expect(findings.of(tableOf(server)).get('shop/p0')?.message).toBe(
    'The metadata of the issuer could not be fetched. Ask why with: ostiary doctor shop/p0',
  )
})

test('calls for a request say nothing, and a server that no plugin has is forgotten', () => {
  const findings = new ServerFindings()
  findings.called(call({ endpoint: 'token' }), 0)
  findings.called(call({ endpoint: 'introspection', outcome: 'refused' }), 0)
  expect(reasons(findings, tableOf(server))).toEqual({})
  findings.called(call(), 0)
  expect(reasons(findings, tableOf(other))).toEqual({})
  expect(reasons(findings, tableOf(server))).toEqual({})
})
