import type { Resources } from '../api/resources.ts'

/** Something that keeps a source from being complete, for logs and the readiness probe. */
export interface SourceProblem {
  /** What cannot be read: a directory, or a resource such as `oidcplugins.ostiary.dev`. */
  readonly subject: string
  /** What is wrong and how to mend it. Never holds a secret. */
  readonly message: string
}

/** Where objects come from: a cluster or a directory. Started once and stopped by its signal. */
export interface Source {
  /**
   * Begins to read, and returns without waiting for `synced()`. After that `onChange` is called whenever `current()`
   * or `synced()` may have changed; it must be quick and must not throw.
   *
   * @param signal Stops everything; `stopped()` tells when.
   * @throws OstiaryError ERR_SOURCE_UNAVAILABLE when reading cannot begin at all.
   */
  start(onChange: () => void, signal: AbortSignal): Promise<void>
  /** Everything known now. The same object as long as nothing has changed. */
  current(): Resources
  /** Everything has been read at least once, so that an object that is not in `current()` does not exist. */
  synced(): boolean
  /** What cannot be read at the moment. A source that was synced keeps what it knew. */
  problems(): readonly SourceProblem[]
  /** One line for each part that is stuck: it should have ended, or gone on, long ago. What is merely away is a problem. */
  stuck(): readonly string[]
  /** Resolves when, after the signal, no timer, watcher or connection is left. */
  stopped(): Promise<void>
}
