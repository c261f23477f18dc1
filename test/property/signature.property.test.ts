import * as fc from 'fast-check'
import { compactVerify, exportJWK, generateKeyPair, importJWK, SignJWT, type CryptoKey } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { ASYMMETRIC_ALGORITHMS } from '../../src/auth/asymmetric-algorithms.ts'
import { readToken } from '../../src/auth/resource-server/jwt.ts'
import { isSignedBy } from '../../src/auth/resource-server/signature.ts'

/** One signer of each algorithm; its public half as a key set gives it. */
interface Pair {
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

const pairs: Pair[] = []

beforeAll(async () => {
  for (const algorithm of ASYMMETRIC_ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
    const imported = (await importJWK(await exportJWK(publicKey), algorithm)) as CryptoKey
    pairs.push({ algorithm, privateKey, publicKey: imported })
  }
})

async function verdictOfJose(token: string, key: CryptoKey): Promise<boolean> {
  return compactVerify(token, key, { algorithms: [...ASYMMETRIC_ALGORITHMS] }).then(
    () => true,
    () => false,
  )
}

/** What cannot be read as a JWT never comes so far. */
function ownVerdict(token: string, key: CryptoKey): boolean {
  const shape = readToken(token)
  return shape.kind === 'jwt' && isSignedBy(shape.jwt, key)
}

async function isJwtFor(token: string, key: CryptoKey): Promise<boolean> {
  return readToken(token).kind === 'jwt' && (await verdictOfJose(token, key))
}

async function sign({ algorithm, privateKey }: Pair, claims: Record<string, unknown>): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm }).sign(privateKey)
}

function withHeader(token: string, header: object): string {
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...token.split('.').slice(1)].join('.')
}

describe('a signature is judged as jose judges it', () => {
  test('a good one holds under its own key and under no other', async () => {
    for (const signer of pairs) {
      const token = await sign(signer, { sub: 'alice' })
      for (const { publicKey } of pairs) {
        const expected = await verdictOfJose(token, publicKey)
        expect(ownVerdict(token, publicKey), signer.algorithm).toBe(expected)
        if (publicKey === signer.publicKey) expect(expected).toBe(true)
      }
    }
  })

  test('one that names another algorithm than its key has', async () => {
    for (const signer of pairs) {
      const token = await sign(signer, { sub: 'alice' })
      for (const alg of [
        ...ASYMMETRIC_ALGORITHMS,
        'HS256',
        'none',
        'rs256',
        'RS1',
        'ES256K',
        'toString',
        '',
      ]) {
        const renamed = withHeader(token, { alg })
        const expected = await verdictOfJose(renamed, signer.publicKey)
        expect(ownVerdict(renamed, signer.publicKey), `${signer.algorithm} as ${alg}`).toBe(expected)
      }
    }
  })

  test('a broken token, wherever it is broken', async () => {
    const broken = fc.record({
      signer: fc.nat({ max: pairs.length - 1 }),
      claims: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
      at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
      cut: fc.nat({ max: 5 }),
      put: fc.stringMatching(/^[A-Za-z0-9_.=+/-]{0,6}$/),
    })
    await fc.assert(
      fc.asyncProperty(broken, async ({ signer, claims, at, cut, put }) => {
        const pair = pairs[signer] as Pair
        const token = await sign(pair, claims)
        const index = Math.floor(at * token.length)
        const mutant = token.slice(0, index) + put + token.slice(index + cut)
        expect(ownVerdict(mutant, pair.publicKey)).toBe(await isJwtFor(mutant, pair.publicKey))
      }),
      { numRuns: 300 },
    )
  })

  test('a signature of any bytes: empty, zeros, too long, another encoding', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom(0, 1, 63, 64, 65, 96, 132, 255, 256, 257).map((length) => new Uint8Array(length)),
      fc.constantFrom(64, 96, 132, 256).map((length) => new Uint8Array(length).fill(255)),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: pairs.length - 1 }), bytes, async (signer, signature) => {
        const pair = pairs[signer] as Pair
        const token = await sign(pair, { sub: 'alice' })
        const forged = `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.from(signature).toString('base64url')}`
        expect(await verdictOfJose(forged, pair.publicKey)).toBe(false)
        expect(ownVerdict(forged, pair.publicKey)).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  test('a base64url ending that stands for the same bytes', async () => {
    for (const pair of pairs) {
      const token = await sign(pair, { sub: 'alice' })
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      for (const last of alphabet) {
        const respelled = token.slice(0, -1) + last
        expect(ownVerdict(respelled, pair.publicKey)).toBe(await verdictOfJose(respelled, pair.publicKey))
      }
      for (const longer of [`${token}A`, `${token}AA`, `${token}.`]) {
        expect(ownVerdict(longer, pair.publicKey)).toBe(await isJwtFor(longer, pair.publicKey))
      }
    }
  })

  test('crit is not understood, not even where jose would', async () => {
    for (const pair of pairs) {
      const token = await new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg: pair.algorithm, b64: true, crit: ['b64'] })
        .sign(pair.privateKey)
      expect(await verdictOfJose(token, pair.publicKey)).toBe(true)
      expect(ownVerdict(token, pair.publicKey)).toBe(false)
    }
  })

  test('an RSA key that is too short verifies nothing', async () => {
    const { subtle } = globalThis.crypto
    const parameters = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
    }
    const short = await subtle.generateKey(parameters, true, ['sign', 'verify'])
    const input = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}`
    const signature = await subtle.sign('RSASSA-PKCS1-v1_5', short.privateKey, Buffer.from(input))
    const token = `${input}.${Buffer.from(signature).toString('base64url')}`
    expect(await verdictOfJose(token, short.publicKey)).toBe(false)
    expect(ownVerdict(token, short.publicKey)).toBe(false)
  })
})
