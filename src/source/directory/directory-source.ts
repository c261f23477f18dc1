import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import path from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import type { Logger } from 'pino'
import type { Resources } from '../../api/resources.ts'
import { systemTimers, type Timers } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { collectResources } from '../collect-resources.ts'
import type { Source, SourceProblem } from '../source.ts'
import { ManifestMemory, type ParsedFile } from './manifest-memory.ts'
import { parseFile } from './read-directory.ts'
import { assertReadable, scan, type ScannedFile } from './scan.ts'
import { Settling } from './settling.ts'

export interface DirectorySourceOptions {
  /** A directory of manifests, or a single file. */
  readonly root: string
  readonly logger: Logger
  readonly timers?: Timers
  /** Time between two looks that must agree; default 40 ms. */
  readonly settleMs?: number
  /** The directory is looked at this often even when no event came, as on network file systems; default 10 s. */
  readonly rescanMs?: number
}

/** How many looks something that never rests may hold up everything else. */
const MAX_LOOKS = 25
/** Not worth a watch each, such as all of `.git`; the folders `..data` and `..2026_…` of a ConfigMap's mount are. */
const HIDDEN = /^\.(?!\.)/

/** A source that reads a directory of YAML and follows its changes; see {@link scan} and {@link ManifestMemory}. */
export function createDirectorySource(options: DirectorySourceOptions): Source {
  return new DirectorySource(options)
}

class DirectorySource implements Source {
  readonly #root: string
  readonly #logger: Logger
  readonly #timers: Timers
  readonly #settleMs: number
  readonly #rescanMs: number
  readonly #memory = new ManifestMemory()
  readonly #settling = new Settling(MAX_LOOKS)
  readonly #stopped = Promise.withResolvers<void>()
  #parsed = new Map<string, ParsedFile>()
  #resources: Resources = collectResources([], [])
  #synced = false
  #watcher: FSWatcher | undefined
  #watchedInode: number | undefined
  #onChange: () => void = () => {}
  #cancelLook: (() => void) | undefined
  #cancelRescan: (() => void) | undefined

  constructor(options: DirectorySourceOptions) {
    this.#root = options.root
    this.#logger = options.logger
    this.#timers = options.timers ?? systemTimers
    this.#settleMs = options.settleMs ?? 40
    this.#rescanMs = options.rescanMs ?? 10_000
  }

  async start(onChange: () => void, signal: AbortSignal): Promise<void> {
    try {
      assertReadable(this.#root, scan(this.#root))
    } catch (error) {
      this.#stopped.resolve()
      throw error
    }
    const watcher = this.#watch()
    this.#watcher = watcher
    // Only when the watcher is ready does a change after the first read raise an event.
    await Promise.race([once(watcher, 'ready'), once(watcher, 'error')]).catch(() => {})
    this.#readFirst()
    this.#onChange = onChange
    const stop = (): void => void this.#stop()
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    this.#rescanLater()
    onChange()
  }

  current(): Resources {
    return this.#resources
  }

  synced(): boolean {
    return this.#synced
  }

  problems(): readonly SourceProblem[] {
    const root = this.#parsed.get(this.#root)
    return root !== undefined && 'unreadable' in root
      ? [{ subject: this.#root, message: root.unreadable }]
      : []
  }

  /** It reads synchronously, so that where it is stuck, this whole thread is. */
  stuck(): readonly string[] {
    return []
  }

  stopped(): Promise<void> {
    return this.#stopped.promise
  }

  /**
   * Events only say that it is time to look: what changed is found by reading. The raw events of the operating system
   * count too, because chokidar drops its own for a file that is replaced twice in a row.
   */
  #watch(): FSWatcher {
    const root = path.resolve(this.#root)
    this.#watchedInode = inodeOf(this.#root)
    // The watch on a single file ends with the inode that a rename replaces; its directory has events for every one.
    const isFile = statSync(root, { throwIfNoEntry: false })?.isFile() ?? false
    const place = isFile ? path.dirname(root) : root
    const watcher = watch(place, {
      ignoreInitial: true,
      atomic: false,
      ignorePermissionErrors: true,
      ignored: (each) => each !== place && (isFile ? each !== root : HIDDEN.test(path.basename(each))),
    })
    watcher.on('all', () => this.#lookLater())
    watcher.on('raw', () => this.#lookLater())
    watcher.on('error', (error) => {
      this.#logger.warn(
        { directory: this.#root, reason: messageOf(error), rescanMs: this.#rescanMs },
        'watching the directory failed; changes are found by the periodic scan alone',
      )
    })
    return watcher
  }

  /** A directory that was deleted and made anew raises no events on the old one's watch. */
  #watchAnew(): void {
    const inode = inodeOf(this.#root)
    if (inode === undefined || inode === this.#watchedInode) return
    void this.#watcher?.close()
    this.#watcher = this.#watch()
    this.#watcher.once('ready', () => this.#lookLater())
  }

  #readFirst(): void {
    const files = scan(this.#root)
    this.#settling.begin(digestsOf(files))
    this.#parsed = new Map(files.map((file) => [file.path, parseFile(file)]))
    this.#publish()
    this.#synced = true
  }

  #look(): void {
    this.#watchAnew()
    const files = scan(this.#root)
    const { take, again } = this.#settling.look(digestsOf(files))
    if (again) this.#lookLater()
    if (take.size === 0) return
    const byPath = new Map(files.map((file) => [file.path, file]))
    for (const each of take) {
      const file = byPath.get(each)
      if (file === undefined) this.#parsed.delete(each)
      else this.#parsed.set(each, parseFile(file))
    }
    this.#publish()
    this.#onChange()
  }

  #publish(): void {
    const inOrder = [...this.#parsed.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
    this.#resources = this.#memory.update(inOrder)
  }

  /** A look that is already due comes after whatever happened now, so no event is lost. */
  #lookLater(): void {
    if (this.#cancelLook !== undefined) return
    this.#cancelLook = this.#timers.after(this.#settleMs, () => {
      this.#cancelLook = undefined
      this.#look()
    })
  }

  #rescanLater(): void {
    this.#cancelRescan = this.#timers.after(this.#rescanMs, () => {
      this.#lookLater()
      this.#rescanLater()
    })
  }

  async #stop(): Promise<void> {
    this.#cancelRescan?.()
    this.#cancelLook?.()
    await this.#watcher?.close()
    this.#cancelLook?.()
    this.#stopped.resolve()
  }
}

/** Of a file none: its directory is watched, which sees every replacement. */
function inodeOf(root: string): number | undefined {
  try {
    const stat = statSync(root)
    return stat.isDirectory() ? stat.ino : undefined
  } catch {
    return undefined // what is wrong with it is for the scan to say
  }
}

function digestsOf(files: readonly ScannedFile[]): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [file.path, digestOf(file)]))
}

function digestOf(file: ScannedFile): string {
  if ('unreadable' in file) return `unreadable ${file.unreadable}`
  return createHash('sha256').update(file.text).digest('base64')
}
