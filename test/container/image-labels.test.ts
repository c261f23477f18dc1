import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ostiaryImage } from './ostiary-image.ts'

const PREFIX = 'org.opencontainers.image.'
const image = await ostiaryImage()

/** @see https://specs.opencontainers.org/image-spec/annotations/ */
describe('the labels of the image', () => {
  test.skipIf(image === undefined)(
    'say what it is, under which licence, and from what it is made',
    async () => {
      const format = '{{json .Config.Labels}}'
      const { stdout } = await promisify(execFile)('docker', [
        'image',
        'inspect',
        '--format',
        format,
        image ?? '',
      ])
      const labels = JSON.parse(stdout) as Readonly<Record<string, string>>
      const own = Object.entries(labels).filter(([name]) => name.startsWith(PREFIX))
      expect(Object.fromEntries(own.map(([name, value]) => [name.slice(PREFIX.length), value]))).toEqual({
        title: 'Ostiary',
        description: expect.stringContaining('OpenID Connect'),
        licenses: 'Apache-2.0',
        version: expect.stringMatching(/./),
        revision: expect.stringMatching(/./),
        'base.name': expect.stringContaining('node:26'),
      })
    },
  )

  test('come behind every layer, so that a new version builds none again', async () => {
    const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8')
    const instructions = [...dockerfile.matchAll(/^([A-Z]+) ?(\w*)/gm)].map(([, name, word]) => ({
      name,
      word,
    }))
    const last = instructions.findLastIndex(({ name }) => name === 'RUN' || name === 'COPY')
    const version = instructions.findIndex(({ name, word }) => name === 'ARG' && word === 'VERSION')
    const revision = instructions.findIndex(({ name, word }) => name === 'ARG' && word === 'REVISION')
    expect(last).toBeGreaterThan(0)
    expect(Math.min(version, revision)).toBeGreaterThan(last)
  })
})
