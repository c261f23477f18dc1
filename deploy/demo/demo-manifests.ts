import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DemoSettings } from './demo-settings.ts'

/** The manifests as they lie beside this file. */
const MANIFESTS = fileURLToPath(new URL('manifests', import.meta.url))

export interface DemoManifests {
  readonly directory: string
  readonly remove: () => Promise<void>
}

/**
 * The manifests to run on: those beside this file, so that editing them is live. Where the authorization server or
 * the upstream is on another port than they say, a temporary copy with the right ports.
 */
export async function demoManifests(settings: DemoSettings): Promise<DemoManifests> {
  const { authorizationServerPort, echoPort } = settings
  if (authorizationServerPort === 9000 && echoPort === 9001) {
    return { directory: MANIFESTS, remove: async () => undefined }
  }
  const directory = await mkdtemp(join(tmpdir(), 'ostiary-demo-'))
  for (const name of await readdir(MANIFESTS)) {
    const text = await readFile(join(MANIFESTS, name), 'utf8')
    const moved = text
      .replaceAll('localhost:9000', `localhost:${authorizationServerPort}`)
      .replaceAll('port: 9001', `port: ${echoPort}`)
    await writeFile(join(directory, name), moved)
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) }
}
