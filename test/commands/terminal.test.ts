import { Writable } from 'node:stream'
import { WriteStream } from 'node:tty'
import { expect, onTestFinished, test, vi } from 'vitest'
import { coloured, createProgress, plain } from '../../src/commands/terminal.ts'

class Screen extends Writable {
  text = ''
  isTTY: boolean
  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  getColorDepth(): number {
    return WriteStream.prototype.getColorDepth.call(this)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

function environment(name: string, value: string | undefined): void {
  vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}

test('colours are for terminals', () => {
  environment('TERM', 'xterm-256color')
  // Where it is set, node takes no terminal to have colours.
  environment('CI', undefined)
  environment('NO_COLOR', undefined)
  environment('FORCE_COLOR', undefined)
  expect(coloured(new Screen(true), 'red', 'no')).toBe('\u001B[31mno\u001B[39m')
  expect(coloured(new Screen(false), 'red', 'no')).toBe('no')
})

test('NO_COLOR takes them away', () => {
  environment('TERM', 'xterm-256color')
  environment('FORCE_COLOR', undefined)
  environment('NO_COLOR', '1')
  expect(coloured(new Screen(true), 'red', 'no')).toBe('no')
})

test('FORCE_COLOR brings them to a pipe, and 0 takes them from a terminal', () => {
  environment('NO_COLOR', '1')
  environment('FORCE_COLOR', '1')
  expect(coloured(new Screen(false), 'red', 'no')).toBe('\u001B[31mno\u001B[39m')
  environment('FORCE_COLOR', '0')
  expect(coloured(new Screen(true), 'red', 'no')).toBe('no')
})

test('progress is shown on a terminal alone, and leaves nothing behind', () => {
  const [terminal, pipe] = [new Screen(true), new Screen(false)]
  for (const screen of [terminal, pipe]) {
    const progress = createProgress(screen)
    progress.tell('reading')
    progress.tell('compiling')
    progress.end()
    progress.end()
  }
  expect(terminal.text).toBe('\r\u001B[2Kreading …\r\u001B[2Kcompiling …\r\u001B[2K')
  expect(pipe.text).toBe('')
})

test("other people's words cannot steer a terminal", () => {
  expect(plain('a\u001B[2Jb\u009Bc\u202Ed\u2028e\né')).toBe('a�[2Jb�c�d�e�é')
})
