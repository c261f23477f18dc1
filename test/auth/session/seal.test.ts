import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MAXIMUM_PLAIN_BYTES, open, seal, type SealContext } from '../../../src/auth/session/seal.ts'
import { SessionKeys, type KeyRing } from '../../../src/auth/session/session-keys.ts'
import { newKey, snapshotOf } from '../relying-party/login-fixture.ts'

const CONTEXT: SealContext = { purpose: 'session', realm: 'a'.repeat(64), name: 'ostiary_os_' }

function ringOf(...keys: string[]): KeyRing {
  return new SessionKeys().ringOf(snapshotOf([], keys))
}

describe('seal', () => {
  it('opens to the same bytes and says which key did it', () => {
    const ring = ringOf(newKey())
    const sealed = seal(Buffer.from('secret'), ring[0]!, CONTEXT, randomBytes)!
    expect(open(sealed, ring, CONTEXT)).toEqual({ plain: Buffer.from('secret'), keyId: ring[0]!.id })
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('secret')
  })

  it('is another value each time', () => {
    const [key] = ringOf(newKey())
    const values = Array.from({ length: 50 }, () => seal(Buffer.from('same'), key!, CONTEXT, randomBytes))
    expect(new Set(values).size).toBe(50)
  })

  it('opens with any key of the ring, and with none that left it', () => {
    const [old, recent] = [newKey(), newKey()]
    const sealed = seal(Buffer.from('x'), ringOf(old)[0]!, CONTEXT, randomBytes)!
    expect(open(sealed, ringOf(recent, old), CONTEXT)).toBeDefined()
    expect(open(sealed, ringOf(recent), CONTEXT)).toBeUndefined()
    expect(open(sealed, [], CONTEXT)).toBeUndefined()
  })

  it.each<[string, Partial<SealContext>]>([
    ['purpose', { purpose: 'flow' }],
    ['realm', { realm: 'b'.repeat(64) }],
    ['name', { name: '__Host-ostiary_os_' }],
  ])('is bound to its %s', (_, change) => {
    const ring = ringOf(newKey())
    const sealed = seal(Buffer.from('x'), ring[0]!, CONTEXT, randomBytes)!
    expect(open(sealed, ring, { ...CONTEXT, ...change })).toBeUndefined()
  })

  it('does not open in another spelling of the same bytes', () => {
    const ring = ringOf(newKey())
    const sealed = seal(Buffer.from('xy'), ring[0]!, CONTEXT, randomBytes)!
    for (const other of [`${sealed}=`, `${sealed} `, ` ${sealed}`, `${sealed}!`, `"${sealed}"`]) {
      expect(open(other, ring, CONTEXT)).toBeUndefined()
    }
  })

  it('opens nothing that is cut short', () => {
    const ring = ringOf(newKey())
    const sealed = seal(Buffer.from('some text'), ring[0]!, CONTEXT, randomBytes)!
    for (let length = 0; length < sealed.length; length += 1) {
      expect(open(sealed.slice(0, length), ring, CONTEXT)).toBeUndefined()
    }
  })

  it('takes no more than it would inflate', () => {
    const ring = ringOf(newKey())
    const largest = Buffer.alloc(MAXIMUM_PLAIN_BYTES)
    expect(open(seal(largest, ring[0]!, CONTEXT, randomBytes)!, ring, CONTEXT)?.plain).toEqual(largest)
    expect(seal(Buffer.alloc(MAXIMUM_PLAIN_BYTES + 1), ring[0]!, CONTEXT, randomBytes)).toBeUndefined()
  })
})

describe('the key ring', () => {
  it('leaves out keys that are absent or not 32 bytes', () => {
    const good = newKey()
    expect(ringOf('c2hvcnQ', '', good, randomBytes(33).toString('base64url'))).toHaveLength(1)
    const snapshot = { ...snapshotOf([], []), sessionKeys: ['session-key/0'] }
    expect(new SessionKeys().ringOf(snapshot)).toEqual([])
  })

  it('gives ids that do not show the key', () => {
    const key = newKey()
    const [decoded] = ringOf(key)
    expect(decoded!.id).toMatch(/^[0-9a-f]{16}$/)
    expect(decoded!.secret.toString('hex')).not.toContain(decoded!.id)
  })
})
