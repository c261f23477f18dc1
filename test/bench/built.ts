import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Builds Ostiary as for the image: memory and start are others than the source's, whose types Node strips in every
 * thread.
 *
 * @returns The file that Node runs.
 */
export function buildOstiary(): string {
  const root = path.join(import.meta.dirname, '../..')
  const folder = path.join(root, 'node_modules/.cache/ostiary-bench')
  const project = ['-p', path.join(root, 'tsconfig.build.json')]
  const order = [...project, '--outDir', path.join(folder, 'dist'), '--noCheck']
  execFileSync(path.join(root, 'node_modules/.bin/tsc'), order, { stdio: 'inherit' })
  copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'))
  return path.join(folder, 'dist/main.js')
}
