import { expect, test } from 'vitest'
import {
  addressesIn,
  addressesOfService,
  hasAddresses,
  toAddresses,
} from '../../src/status/ingress-addresses.ts'

const balanced = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example.com' }] } }

test.each([
  [
    'a load balancer',
    { type: 'LoadBalancer', clusterIP: '10.0.0.1' },
    balanced,
    ['192.0.2.1', 'lb.example.com'],
  ],
  [
    'a load balancer that is awaited',
    { type: 'LoadBalancer', clusterIP: '10.0.0.1' },
    { loadBalancer: {} },
    [],
  ],
  [
    'external IPs beside it',
    { type: 'LoadBalancer', externalIPs: ['192.0.2.9'] },
    balanced,
    ['192.0.2.1', '192.0.2.9', 'lb.example.com'],
  ],
  [
    'external IPs',
    { type: 'NodePort', clusterIP: '10.0.0.1', externalIPs: ['192.0.2.9'] },
    {},
    ['192.0.2.9'],
  ],
  ['a cluster IP', { type: 'ClusterIP', clusterIP: '10.0.0.1' }, {}, ['10.0.0.1']],
  ['no cluster IP', { type: 'ClusterIP', clusterIP: 'None' }, {}, []],
  ['a name', { type: 'ExternalName', externalName: 'lb.example.com' }, {}, ['lb.example.com']],
  ['a status of another type', { type: 'ClusterIP', clusterIP: '10.0.0.1' }, balanced, ['10.0.0.1']],
  ['nothing', undefined, null, []],
])('a Service with %s', (_, spec, status, expected) => {
  expect(addressesOfService({ spec, status })).toEqual(toAddresses(expected))
})

test('IP addresses and names are told apart, sorted, each once', () => {
  expect(toAddresses(['lb.example.com', '::1', '192.0.2.1', '::1'])).toEqual([
    { ip: '192.0.2.1' },
    { ip: '::1' },
    { hostname: 'lb.example.com' },
  ])
})

test('the same addresses in another order are the same, and more or fewer are not', () => {
  const addresses = toAddresses(['lb.example.com', '192.0.2.1'])
  expect(hasAddresses(balanced, addresses)).toBe(true)
  expect(hasAddresses(balanced, addresses.slice(1))).toBe(false)
  expect(hasAddresses({ loadBalancer: {} }, [])).toBe(true)
  expect(hasAddresses(undefined, addresses)).toBe(false)
})

test.each([
  null,
  7,
  {},
  { loadBalancer: null },
  { loadBalancer: { ingress: 'x' } },
  { loadBalancer: { ingress: [null, {}] } },
])('a status that is none (%j) has no address', (status) => {
  expect(addressesIn(status)).toEqual([])
})
