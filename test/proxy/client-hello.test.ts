import { array, assert, nat, property, tuple } from 'fast-check'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { readClientHello } from '../../src/proxy/client-certificates/client-hello.ts'

/** What node:tls sends first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', ...options })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

/** The same message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 255]), fragment)
  }
  return Buffer.concat(records)
}

describe.each<[string, ConnectionOptions, string]>([
  ['TLS 1.3', { servername: 'shop.example.test' }, 'shop.example.test'],
  ['TLS 1.2', { servername: 'Shop.Example.TEST', maxVersion: 'TLSv1.2' }, 'Shop.Example.TEST'],
  [
    'a long name',
    { servername: `${'a'.repeat(60)}.${'b'.repeat(60)}.test` },
    `${'a'.repeat(60)}.${'b'.repeat(60)}.test`,
  ],
  ['no name', { servername: '' }, ''],
  ['protocols', { servername: 'a.test', ALPNProtocols: ['h2', 'http/1.1'] }, 'a.test'],
])('a ClientHello with %s', (_name, options, serverName) => {
  test('is read once it is whole, however it comes', async () => {
    const hello = await helloOf(options)
    expect(readClientHello(hello)).toEqual({ kind: 'read', serverName })
    for (let length = 0; length < hello.length; length += 1) {
      expect(readClientHello(hello.subarray(0, length)).kind).toBe('incomplete')
    }
    for (const size of [40, 64, 100, 1000]) {
      const records = inRecords(hello, size)
      expect(readClientHello(records)).toEqual({ kind: 'read', serverName })
      expect(readClientHello(records.subarray(0, -1)).kind).toBe('incomplete')
    }
    expect(readClientHello(Buffer.concat([hello, Buffer.from('more')]))).toEqual({ kind: 'read', serverName })
  })

  test('that was tampered with is read, awaited or left to the TLS library, and nothing else', async () => {
    const hello = await helloOf(options)
    const place = tuple(nat(hello.length - 1), nat(255))
    assert(
      property(array(place, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(hello)
        for (const [at, value] of changes) bytes[at] = value
        expect(['read', 'incomplete', 'unreadable']).toContain(readClientHello(bytes).kind)
      }),
      { numRuns: 300 },
    )
  })
})

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1, 1])],
  ['another message', Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0])],
  ['a message that is too long', Buffer.from([22, 3, 3, 0, 4, 1, 0xff, 0xff, 0xff])],
  ['a message whose lengths are longer than itself', Buffer.from([22, 3, 3, 0, 6, 1, 0, 0, 2, 3, 3])],
])('%s is no ClientHello', (_name, bytes) => {
  expect(readClientHello(bytes).kind).toBe('unreadable')
})

test('records without end are not gathered for ever', async () => {
  const hello = await helloOf({ servername: 'shop.example.test' })
  for (const size of [1, 5]) expect(readClientHello(inRecords(hello, size)).kind).toBe('unreadable')
  const tiny = Buffer.concat(Array.from({ length: 65 }, () => Buffer.from([22, 3, 1, 0, 1, 1])))
  expect(readClientHello(tiny).kind).toBe('unreadable')
})

test('what is needed is never more than comes', async () => {
  const hello = inRecords(await helloOf({ servername: 'shop.example.test' }), 100)
  let reads = 0
  for (let length = 0; ; reads += 1) {
    const read = readClientHello(hello.subarray(0, length))
    if (read.kind !== 'incomplete') {
      expect(read).toEqual({ kind: 'read', serverName: 'shop.example.test' })
      break
    }
    expect(read.neededBytes).toBeGreaterThan(length)
    expect(read.neededBytes).toBeLessThanOrEqual(hello.length)
    length = read.neededBytes
  }
  // Once for each head and each fragment, however slowly they come.
  expect(reads).toBeLessThanOrEqual(2 * Math.ceil(hello.length / 105))
})
