import { destination } from 'pino'
import type { DestinationStream } from 'pino'

/** What a reader of standard output may be behind by: beyond it lines are dropped, and counted. */
const MAXIMUM_WAITING_BYTES = 16 * 1024 * 1024

/** How long the last lines wait for a reader that has stopped, once the process is to end. */
const LAST_WAIT_MS = 1000

/** Where the process's lines go. Whole lines only, of several writers. */
export interface LogOutput extends DestinationStream {
  readonly isTerminal: boolean
  /** The process is about to end: from here on a reader that takes nothing is waited for no longer than a second. */
  endSoon(): void
}

/**
 * Standard output, written to without waiting: whoever reads it slowly, or not at all, holds up neither requests nor the
 * control plane. On a terminal each line is there at once.
 *
 * @param onDropped Called with the number of lines, once there is room again.
 */
export function createLogOutput(onDropped: (lines: number) => void): LogOutput {
  const isTerminal = process.stdout.isTTY
  let waitsUntil = Number.POSITIVE_INFINITY
  const endSoon = (): void => {
    waitsUntil = Math.min(waitsUntil, performance.now() + LAST_WAIT_MS)
  }
  const retryEAGAIN = (): boolean => performance.now() < waitsUntil
  const maxLength = MAXIMUM_WAITING_BYTES
  const output = destination({ dest: 1, sync: isTerminal, maxLength, retryEAGAIN })
  output.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code === 'EAGAIN') output.destroy()
    // Of a reader that has gone, pino knows: it writes no more.
    else if (error.code !== 'EPIPE') throw error
  })
  // Before pino's own listener, which would try for ever.
  process.prependOnceListener('exit', () => {
    endSoon()
    flushLast(output)
  })
  let dropped = 0
  output.on('drop', (text: string) => {
    dropped += text.split('\n').length - 1
  })
  output.on('drain', () => {
    const lines = dropped
    dropped = 0
    if (lines > 0) onDropped(lines)
  })
  return Object.assign(output, { isTerminal, endSoon })
}

function flushLast(output: ReturnType<typeof destination>): void {
  try {
    output.flushSync()
  } catch {
    // Nobody reads, and there is nowhere to say so.
  }
  output.destroy()
}
