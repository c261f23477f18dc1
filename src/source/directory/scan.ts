import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { OstiaryError } from '../../errors.ts'

/** One file of manifests as it lies on disk, or a place that cannot be read. */
export type ScannedFile =
  | { readonly path: string; readonly text: string }
  /** A file or a whole directory: what was known of it, or of anything below it, may still be true. */
  | { readonly path: string; readonly unreadable: string }

const MANIFEST = /\.(yaml|yml|json)$/i
/** Hidden files, the lock files of editors (`.#a.yaml`, `#a.yaml#`) and office suites (`~$a.yaml`). */
const IGNORED = /^[.#~]/
/** Far beyond any folder of manifests; symbolic links that form a loop are found before it. */
const MAX_DEPTH = 32

/**
 * Reads a directory with all that lies below it, or a single file, sorted by path. In directories only `.yaml`,
 * `.yml` and `.json` files count, and names that begin with `.`, `#` or `~` do not, so that temporary files of editors
 * and the hidden folders of a mounted ConfigMap are passed over; symbolic links are followed. Anything but a regular
 * file is passed over too: reading a named pipe would wait forever.
 *
 * Reads synchronously, so that a tree of files is seen at one moment as nearly as a file system allows.
 */
export function scan(root: string): readonly ScannedFile[] {
  const found: ScannedFile[] = []
  visit(root, { found, ancestors: [], isRoot: true })
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the directory or file itself cannot be read. */
export function assertReadable(root: string, files: readonly ScannedFile[]): void {
  for (const file of files) {
    if (file.path !== root || !('unreadable' in file)) continue
    throw new OstiaryError('ERR_SOURCE_UNAVAILABLE', `${root} ${file.unreadable}`)
  }
}

interface Visit {
  readonly found: ScannedFile[]
  /** Real paths of the directories that this one lies in. */
  readonly ancestors: readonly string[]
  readonly isRoot: boolean
}

function visit(place: string, { found, ancestors, isRoot }: Visit): void {
  try {
    const stat = statSync(place)
    if (stat.isDirectory()) visitDirectory(place, { found, ancestors, isRoot })
    else if (stat.isFile()) found.push({ path: place, text: readText(place) })
    else if (isRoot) found.push({ path: place, unreadable: 'is neither a directory nor a file' })
  } catch (error) {
    found.push({ path: place, unreadable: reasonOf(error) })
  }
}

function visitDirectory(place: string, { found, ancestors }: Visit): void {
  const real = realpathSync(place)
  if (ancestors.includes(real) || ancestors.length > MAX_DEPTH) return
  for (const entry of readdirSync(place, { withFileTypes: true })) {
    if (IGNORED.test(entry.name)) continue
    const child = path.join(place, entry.name)
    if (!MANIFEST.test(entry.name) && !isDirectory(child)) continue
    visit(child, { found, ancestors: [...ancestors, real], isRoot: false })
  }
}

function isDirectory(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function readText(place: string): string {
  const bytes = readFileSync(place)
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

/** The code alone: messages of the file system name paths, which the caller already does. */
function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text; save it as UTF-8'
  if (code === 'ENOENT') return 'does not exist; create it or mend the path'
  if (code === 'EACCES') return 'may not be read; give the process read permission'
  return `cannot be read (${code})`
}
