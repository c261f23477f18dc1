import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether the openssl command is there. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** PEM texts of a private CA and of a certificate that it signed for 127.0.0.1. */
export interface PrivateCa {
  readonly ca: string
  readonly key: string
  readonly cert: string
}

/** Makes a CA and a server certificate for an address or name, as `IP:127.0.0.1` or `DNS:localhost`. */
export function createPrivateCa(subjectAltName: string): PrivateCa {
  const directory = mkdtempSync(join(tmpdir(), 'ostiary-ca-'))
  const path = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  try {
    openssl(
      'req',
      '-x509',
      ...ec,
      '-subj',
      '/CN=Test CA',
      '-days',
      '2',
      '-keyout',
      path('ca.key'),
      '-out',
      path('ca.pem'),
    )
    openssl('req', ...ec, '-subj', '/CN=server', '-keyout', path('server.key'), '-out', path('server.csr'))
    writeFileSync(path('extensions'), `subjectAltName=${subjectAltName}\n`)
    const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
    openssl(
      'x509',
      '-req',
      '-in',
      path('server.csr'),
      ...signing,
      '-extfile',
      path('extensions'),
      '-out',
      path('server.pem'),
    )
    const read = (name: string) => readFileSync(path(name), 'utf8')
    return { ca: read('ca.pem'), key: read('server.key'), cert: read('server.pem') }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
