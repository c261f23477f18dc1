import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { anchors, pages, readPage, relativeLinks, ROOT, type Page } from './page.ts'

/** What is wrong with a link; `undefined` where it leads somewhere. */
function faultOf(page: Page, link: string): string | undefined {
  const [target = '', anchor] = link.split('#')
  const file = target === '' ? page.file : path.join(path.dirname(page.file), decodeURI(target))
  if (file.startsWith('..')) return `${link}: is outside of the repository`
  if (!existsSync(path.join(ROOT, file))) return `${link}: there is no ${file}`
  if (anchor === undefined) return undefined
  if (statSync(path.join(ROOT, file)).isDirectory()) return `${link}: a folder has no headings`
  return anchors(readPage(file)).has(anchor) ? undefined : `${link}: ${file} has no such heading`
}

test.each(pages().map((page) => [page.file, page] as const))(
  'every link of %s leads somewhere',
  (_, page) => {
    const faults = relativeLinks(page).map((link) => faultOf(page, link))
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  },
)

test('every page of docs/ is in its index, but for single decisions', () => {
  const index = new Set(relativeLinks(readPage('docs/README.md')).map((link) => path.join('docs', link)))
  const missing = pages()
    .map(({ file }) => file)
    .filter((file) => file.startsWith('docs/') && !file.startsWith('docs/adr/') && file !== 'docs/README.md')
    .filter((file) => !index.has(file))
  expect(missing).toEqual([])
})

test('a link to nowhere and a heading that is not there are told', () => {
  const page: Page = {
    file: 'docs/okta.md',
    text: '',
    prose: '# A `b`, c\n\n[x](gone.md) [y](#a-b-c) [z](#a)',
  }
  expect([...anchors(page)]).toEqual(['a-b-c'])
  expect(relativeLinks(page)).toEqual(['gone.md', '#a-b-c', '#a'])
  expect(faultOf(page, 'gone.md')).toBe('gone.md: there is no docs/gone.md')
  expect(faultOf(page, '../README.md#nowhere')).toBe('../README.md#nowhere: README.md has no such heading')
  expect(faultOf(page, '../../x')).toBe('../../x: is outside of the repository')
})
