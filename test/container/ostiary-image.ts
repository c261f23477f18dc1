import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requirement } from '../support/requirements.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BASE_IMAGE = 'node:26-bookworm-slim'

/**
 * The image to test: what OSTIARY_TEST_IMAGE names, else `ostiary:test`, built from this work tree. A build of what was
 * built before takes a second, for the engine keeps the layers; an image is never older than its source.
 *
 * @returns Nothing where the tests must be skipped.
 */
export async function ostiaryImage(): Promise<string | undefined> {
  const named = process.env['OSTIARY_TEST_IMAGE']
  const engine = await docker(['version', '--format', '{{.Server.Version}}'])
  if (requirement('Docker', engine.ok, `start the Docker Engine (${engine.reason})`)) return undefined
  if (named !== undefined) return named
  const base = await docker(['image', 'inspect', '--format', '{{.Id}}', BASE_IMAGE])
  const pulled = base.ok ? base : await docker(['pull', '--quiet', BASE_IMAGE])
  if (requirement(`the image ${BASE_IMAGE}`, pulled.ok, `it cannot be pulled (${pulled.reason})`))
    return undefined
  const built = await docker(['build', '--force-rm', '--network', 'host', '--tag', 'ostiary:test', '.'])
  if (!built.ok) throw new Error(`docker build failed: ${built.reason}`)
  return 'ostiary:test'
}

/** `reason` is the end of what docker said. */
async function docker(args: readonly string[]): Promise<{ readonly ok: boolean; readonly reason: string }> {
  try {
    await promisify(execFile)('docker', [...args], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 })
    return { ok: true, reason: '' }
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string; message: string }
    const said = `${stdout}${stderr}`.trim() || message
    return { ok: false, reason: said.split('\n').slice(-12).join('\n') }
  }
}
