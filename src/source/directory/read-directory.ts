import type { Resources } from '../../api/resources.ts'
import { ManifestMemory, type ParsedFile } from './manifest-memory.ts'
import { parseManifest } from './parse-manifest.ts'
import { assertReadable, scan, type ScannedFile } from './scan.ts'

/**
 * Reads a directory of manifests, or a single file, once: for `check` and `compile`. What is broken in it is in
 * `broken`.
 *
 * @param told Called before each file with how many were read.
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the path itself cannot be read.
 */
export function readDirectory(root: string, told: (done: number, all: number) => void = () => {}): Resources {
  const files = scan(root)
  assertReadable(root, files)
  const parsed = files.map((file, index) => {
    told(index, files.length)
    return parseFile(file)
  })
  return new ManifestMemory().update(parsed)
}

/** Parses what a scan found. */
export function parseFile(file: ScannedFile): ParsedFile {
  if ('unreadable' in file) return file
  const { path, text } = file
  return { path, isEmpty: text.trim() === '', entries: parseManifest(text, path) }
}
