import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A seed: what it is called, and its bytes without the newline that editors add. */
export interface Seed {
  readonly name: string
  readonly bytes: Buffer
}

/** The seeds of one kind of input, a file each; what once broke something becomes another. */
export function seedsOf(kind: string): readonly Seed[] {
  const folder = path.join(import.meta.dirname, 'corpus', kind)
  const seeds = readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, bytes: withoutNewline(readFileSync(path.join(folder, name))) }))
  if (seeds.length === 0) throw new Error(`no seeds of ${kind}`)
  return seeds
}

function withoutNewline(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes
}
