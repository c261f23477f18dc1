import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.join(import.meta.dirname, '../..')

/** A page of documentation. */
export interface Page {
  /** Relative to the root of the repository. */
  readonly file: string
  readonly text: string
  /** `text` without fenced code. */
  readonly prose: string
}

/** What people read: everything in Markdown but the tests' own pages and the changelog, which tells of the past. */
export function pages(): readonly Page[] {
  const patterns = ['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'charts/**/*.md']
  return globSync(patterns, { cwd: ROOT })
    .filter((file) => file !== 'CHANGELOG.md')
    .sort()
    .map(readPage)
}

export function readPage(file: string): Page {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  return { file, text, prose: text.replaceAll(/^ *```.*?^ *```$/gms, '') }
}

/** The words of prose that are `written so`. */
export function codeWords(page: Page): readonly string[] {
  return [...page.prose.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word)
}

/** Relative targets of a page's links, as `file#anchor`. */
export function relativeLinks({ prose }: Page): readonly string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors({ prose }: Page): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; found.has(anchor); count += 1) anchor = `${slug}-${count}`
    found.add(anchor)
  }
  return found
}

/** The first cells of all tables whose head begins with this word, without code marks. */
export function firstCells({ prose }: Page, head: string): readonly string[] {
  const cells: string[] = []
  let isInside = false
  for (const line of prose.split('\n')) {
    const first = /^\| *(.*?) *\|/.exec(line)?.[1]
    if (first === undefined) isInside = false
    else if (first === head) isInside = true
    else if (isInside && !/^-+$/.test(first)) cells.push(first.replaceAll('`', ''))
  }
  return cells
}
