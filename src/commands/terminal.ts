import { styleText } from 'node:util'

/** Where text goes: a stream, which may be a terminal. */
export type TextStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

export type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/**
 * Colours text where the stream is a terminal and neither NO_COLOR nor NODE_DISABLE_COLORS is set. FORCE_COLOR decides
 * in place of all that: 0 is never; 1, 2 and 3 are always.
 */
export function coloured(stream: TextStream, colour: Colour, text: string): string {
  return styleText(colour, text, { stream })
}

/** Tells what is being done, for as long as it takes. */
export interface Progress {
  /** Takes the place of what was told before. */
  tell(what: string): void
  /** Leaves the line as if nothing had been told. */
  end(): void
}

/** What a command talks to that asks others, and as whom it asks. */
export interface CommandTerminal {
  readonly output: TextStream
  readonly progress: Progress
  readonly userAgent: string
}

const SILENT: Progress = { tell() {}, end() {} }
const CLEAR_LINE = '\r\u001B[2K'

/** On a terminal only: what is piped or logged is not disturbed. */
export function createProgress(stream: TextStream): Progress {
  if (stream.isTTY !== true) return SILENT
  let isShown = false
  return {
    tell(what) {
      isShown = true
      stream.write(`${CLEAR_LINE}${what} …`)
    },
    end() {
      if (isShown) stream.write(CLEAR_LINE)
      isShown = false
    },
  }
}

/** Control and format characters, line and paragraph separators: all that is not seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Other people's words without what would steer a terminal or turn its text around. */
export function plain(text: string): string {
  return text.replaceAll(UNSEEN, '\uFFFD')
}
