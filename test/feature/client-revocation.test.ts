import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/proxy/default-certificate.ts'
import { upstream } from '../proxy/support.ts'
import { caSecret } from '../support/client-certificates.ts'
import { ingress, service, yaml } from '../support/manifests.ts'
import { startOstiary } from '../support/ostiary.ts'
import { RawClient } from '../support/raw-http.ts'
import { requirement } from '../support/requirements.ts'

const HOST = 'shop.example.test'

function openssl(folder: string, ...args: readonly string[]): void {
  execFileSync('openssl', [...args], { cwd: folder, stdio: 'pipe' })
}

function isThere(): boolean {
  try {
    openssl(tmpdir(), 'version')
    return true
  } catch {
    return false
  }
}

const CONFIGURATION = `
[ca]
default_ca = this
[this]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
[any]
commonName = supplied
`

/** A folder with an authority, a client that is good, and one that was revoked. */
function makeAuthority(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ostiary-revocation-'))
  writeFileSync(path.join(folder, 'ca.cnf'), CONFIGURATION)
  writeFileSync(path.join(folder, 'index.txt'), '')
  writeFileSync(path.join(folder, 'serial'), '01\n')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const authority = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=keyCertSign,cRLSign',
  ]
  const root = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Authority', '-days', '30']
  openssl(folder, 'req', '-x509', ...key, ...authority, ...root)
  for (const name of ['good', 'revoked']) {
    openssl(folder, 'req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    openssl(folder, 'ca', '-batch', '-config', 'ca.cnf', '-in', `${name}.csr`, '-out', `${name}.pem`)
  }
  openssl(folder, 'ca', '-config', 'ca.cnf', '-gencrl', '-out', 'empty.crl')
  openssl(folder, 'ca', '-config', 'ca.cnf', '-revoke', 'revoked.pem')
  openssl(folder, 'ca', '-config', 'ca.cnf', '-gencrl', '-out', 'ca.crl')
  return folder
}

const isAbsent = requirement('openssl', isThere(), 'install it: revocation lists are made with it')

describe.skipIf(isAbsent)('a revocation list', () => {
  let folder: string

  beforeAll(() => {
    folder = makeAuthority()
  })

  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true })
  })

  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')

  async function start(list: string | undefined) {
    const { port } = await upstream((_request, response) => response.end())
    const manifests = (crl: string | undefined): string =>
      yaml(
        ...service('echo', port),
        caSecret('clients', { 'ca.crt': read('ca.pem'), ...(crl !== undefined && { 'ca.crl': crl }) }),
        ingress({ host: HOST, annotations: { 'ostiary.dev/client-ca-secret': 'clients' } }),
      )
    const ostiary = await startOstiary(manifests(list), {
      proxy: {
        https: { host: '127.0.0.1', port: 0 },
        defaultCertificate: await createDefaultCertificate(new Date()),
      },
    })
    const open = (name: string): Promise<RawClient> => {
      const options = { cert: read(`${name}.pem`), key: read(`${name}.key`) }
      return RawClient.openTls({ port: ostiary.httpsPort, servername: HOST, ...options })
    }
    return { open, apply: (crl: string) => ostiary.apply(manifests(crl)) }
  }

  async function statusOn(client: RawClient): Promise<number> {
    client.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    return (await client.response()).status
  }

  async function statusOf({ open }: Awaited<ReturnType<typeof start>>, name: string): Promise<number> {
    const client = await open(name)
    const status = await statusOn(client)
    client.close()
    return status
  }

  test('keeps out whom it names, and nobody else', async () => {
    const running = await start(read('ca.crl'))
    expect(await statusOf(running, 'good')).toBe(200)
    expect(await statusOf(running, 'revoked')).toBe(403)
    const without = await start(undefined)
    expect(await statusOf(without, 'revoked')).toBe(200)
  })

  test('that changes counts at once, also for who is connected', async () => {
    const running = await start(read('empty.crl'))
    const client = await running.open('revoked')
    expect(await statusOn(client)).toBe(200)
    running.apply(read('ca.crl'))
    expect(await statusOn(client)).toBe(421)
    await client.closed()
    expect(await statusOf(running, 'revoked')).toBe(403)
  })

  test('that cannot be read lets nobody in', async () => {
    const broken = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n'
    const running = await start(broken)
    await expect(statusOf(running, 'good')).rejects.toThrow()
  })
})
