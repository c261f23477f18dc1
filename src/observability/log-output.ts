import { destination } from 'pino'
import type { DestinationStream } from 'pino'

/** What a reader of standard output may be behind by: beyond it lines are dropped, and counted. */
const MAXIMUM_WAITING_BYTES = 16 * 1024 * 1024

/** Where the process's lines go. Whole lines only, of several writers. */
export interface LogOutput extends DestinationStream {
  readonly isTerminal: boolean
}

/**
 * Standard output, written to without waiting: whoever reads it slowly, or not at all, holds up neither requests nor the
 * control plane. On a terminal each line is there at once.
 *
 * @param onDropped Called with the number of lines, once there is room again.
 */
export function createLogOutput(onDropped: (lines: number) => void): LogOutput {
  const isTerminal = process.stdout.isTTY
  const output = destination({ dest: 1, sync: isTerminal, maxLength: MAXIMUM_WAITING_BYTES })
  let dropped = 0
  output.on('drop', (text: string) => {
    dropped += text.split('\n').length - 1
  })
  output.on('drain', () => {
    const lines = dropped
    dropped = 0
    if (lines > 0) onDropped(lines)
  })
  return Object.assign(output, { isTerminal })
}
