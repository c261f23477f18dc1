import { expect, test } from 'vitest'
import { rawRequest } from '../support/raw-http.ts'
import { aHost, aRoute, aSnapshot, aTable } from '../support/snapshot.ts'
import { GET, proxy, upstream } from './support.ts'

test('a name that leads to this machine reaches no port of our own there', async () => {
  const { port } = await upstream((_, response) => response.end('the dashboard'))
  const table = aTable([aHost('example.com', [aRoute('web')])], { web: [{ address: 'localhost', port }] })
  const [open, own] = [await proxy(aSnapshot(table)), await proxy(aSnapshot(table), { ownPorts: [port] })]
  expect(await rawRequest(open.port, GET)).toMatchObject({ status: 200, body: 'the dashboard' })
  const refused = await rawRequest(own.port, GET)
  expect(refused.status).toBe(502)
  expect(refused.body).not.toContain('the dashboard')
})

test('the address itself does: so the compiler has the dashboard, and no EndpointSlice of a cluster', async () => {
  const { port } = await upstream((_, response) => response.end('the dashboard'))
  const table = aTable([aHost('example.com', [aRoute('web')])], { web: [port] })
  const own = await proxy(aSnapshot(table), { ownPorts: [port] })
  expect((await rawRequest(own.port, GET)).status).toBe(200)
})
