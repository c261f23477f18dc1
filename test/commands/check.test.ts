import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { check } from '../../src/commands/check.ts'
import { compileCommand } from '../../src/commands/compile.ts'
import type { RowsFormat } from '../../src/commands/output-format.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { ingress, oidcPlugin, secret, service, yaml } from '../support/manifests.ts'

const settings = readSettings({})

class Captured extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

function folder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(path.join(tmpdir(), 'ostiary-check-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text)
  return root
}

function checked(
  files: Readonly<Record<string, string>>,
  format: RowsFormat = 'text',
): { text: string; errors: number } {
  const output = new Captured()
  const { errors } = check(folder(files), settings, output, { format })
  return { text: output.text, errors }
}

const good = yaml(...service('echo', 1), ingress({ annotations: { 'ostiary.dev/public': 'true' } }))

describe('ostiary check', () => {
  test('good manifests give no error', () => {
    expect(checked({ 'a.yaml': good })).toEqual({ errors: 0, text: '0 errors, 0 warnings, 0 notes\n' })
  })

  test('an error has file, line, reason and remedy', () => {
    const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'missing' } })
    const { text, errors } = checked({ 'a.yaml': yaml(...service('echo', 1), guarded) })
    expect(errors).toBe(1)
    expect(text).toMatch(
      /a\.yaml:\d+: error PluginNotFound: Ingress default\/app metadata\.annotations\[.*\n {4}\S/,
    )
    expect(text).toMatch(/\n1 error, 0 warnings/)
  })

  test('a document that is no YAML is named with its line, beside the good ones', () => {
    const { text, errors } = checked({ 'a.yaml': `${good}---\nkind: {\n`, 'b.yaml': good })
    expect(errors).toBeGreaterThan(0)
    expect(text).toMatch(/a\.yaml:\d+: error \w+: \S/)
  })

  test('an unknown annotation is told although every rule of its Ingress is refused', () => {
    const typo = ingress({ host: 'UPPER.example', annotations: { 'ostiary.dev/plugin': 'x' } })
    expect(checked({ 'a.yaml': yaml(...service('echo', 1), typo) }).text).toContain('UnknownAnnotation')
  })

  test('as a table each is on one line', () => {
    const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'missing' } })
    const lines = checked({ 'a.yaml': yaml(...service('echo', 1), guarded) }, 'table')
      .text.trim()
      .split('\n')
    expect(lines[0]).toMatch(/^SEVERITY +REASON +OBJECT +PLACE +MESSAGE$/)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^error +PluginNotFound +Ingress default\/app +\S*a\.yaml:\d+ +\S/)
  })

  test('a large tree is told of while it is read', () => {
    const files = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`${n}.yaml`, '']))
    const told: string[] = []
    const progress = { tell: (what: string) => void told.push(what), end: () => undefined }
    check(folder(files), settings, new Captured(), { progress })
    expect(told.filter((what) => what.endsWith(' of 120 files'))).toHaveLength(3)
  })

  test('a path that does not exist is an error with its remedy', () => {
    expect(() => check('/nonexistent', settings, new Captured())).toThrow(/\/nonexistent/)
  })
})

describe('ostiary compile', () => {
  test('prints the same for the same input, and secrets by name only', () => {
    const plugin = oidcPlugin('p', {
      issuer: 'https://example.com',
      clientId: 'id',
      clientSecretRef: { name: 'client' },
    })
    const guarded = ingress({ annotations: { 'ostiary.dev/plugins': 'p' } })
    const text = yaml(...service('echo', 1), secret('client', { clientSecret: 't0psecret' }), plugin, guarded)
    const print = (): string => {
      const output = new Captured()
      compileCommand(folder({ 'a.yaml': text }), settings, output)
      return output.text.replaceAll(/ostiary-check-\w+/g, '')
    }
    const printed = print()
    expect(printed).toBe(print())
    expect(printed).toContain('virtualHosts')
    expect(printed).not.toContain('t0psecret')
    expect(printed).not.toContain(Buffer.from('t0psecret').toString('base64'))
  })
})
