import type { Resources } from '../../api/resources.ts'
import { ManifestMemory, type ParsedFile } from './manifest-memory.ts'
import { parseManifest } from './parse-manifest.ts'
import { assertReadable, scan, type ScannedFile } from './scan.ts'

/**
 * Reads a directory of manifests, or a single file, once: for `check` and `compile`. What is broken in it is in
 * `broken`.
 *
 * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when the path itself cannot be read.
 */
export function readDirectory(root: string): Resources {
  const files = scan(root)
  assertReadable(root, files)
  return new ManifestMemory().update(files.map(parseFile))
}

/** Parses what a scan found. */
export function parseFile(file: ScannedFile): ParsedFile {
  if ('unreadable' in file) return file
  const { path, text } = file
  return { path, isEmpty: text.trim() === '', entries: parseManifest(text, path) }
}
