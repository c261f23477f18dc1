import { readFile } from 'node:fs/promises'
import { OstiaryError } from '../errors.ts'
import { newSessionKey, parseSessionKeys, type SessionKeys } from './session-key.ts'

/**
 * The session keys of file mode: those of `--session-key-file`, see {@link parseSessionKeys}, or, without one, a
 * random key that lives as long as the process.
 *
 * @throws OstiaryError ERR_SESSION_KEY_INVALID when the file cannot be read or holds something else.
 */
export async function readSessionKeys(file: string | undefined): Promise<SessionKeys> {
  if (file === undefined) return [newSessionKey()]
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    const message = `${file}: cannot be read (${code}); mend the path or its permissions`
    throw new OstiaryError('ERR_SESSION_KEY_INVALID', message)
  }
  return parseSessionKeys(text, file)
}
