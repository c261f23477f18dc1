import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { check } from '../../src/commands/check.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { readDirectory } from '../../src/source/directory/read-directory.ts'
import { exampleNames, folderOf } from './example.ts'

const names = await exampleNames()

describe.each(names)('%s', (name) => {
  test('compiles without an error, placeholders and all', () => {
    let printed = ''
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        printed += chunk.toString()
        done()
      },
    })
    expect(check(folderOf(name), readSettings({}), output).errors, printed).toBe(0)
  })

  test('guards every Ingress by a plugin, or says that open is meant, and mentions no other namespace', () => {
    const { ingresses, oidcPlugins } = readDirectory(folderOf(name))
    expect(ingresses.length).toBeGreaterThan(0)
    expect(oidcPlugins.length).toBeGreaterThan(0)
    for (const { metadata } of ingresses) {
      const { 'ostiary.dev/plugins': plugins, 'ostiary.dev/public': open } = metadata.annotations
      expect(plugins ?? open).toMatch(new RegExp(`^(${names.join('|')}|introspection-admins|true)$`))
      expect(metadata.namespace).toBe('default')
    }
  })

  test('has a README that says how Okta is set up, and what replaces the placeholders', async () => {
    const text = await readFile(path.join(folderOf(name), 'README.md'), 'utf8')
    expect(text).toContain('## Okta')
    expect(text).toContain(`kubectl apply -f deploy/examples/${name}`)
    expect(text).toContain('ostiary doctor')
  })
})

test('the list of examples is complete', async () => {
  const index = await readFile(folderOf('README.md'), 'utf8')
  for (const name of names) expect(index).toContain(`[${name}](${name})`)
})
