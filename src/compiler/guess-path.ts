import { normalPath } from '../table/normal-path.ts'

/** From here on nothing of a path can be in a request: what it cannot hold, or a regular expression's part. */
const UNUSABLE =
  // oxlint-disable-next-line no-control-regex -- they are among what is looked for
  /[\u0000-\u001f\u007f\\#?*()+$^|[\]{}]|%(?![0-9A-Fa-f]{2})|%(?:[01][0-9A-F]|7F|5C|C[01]|E0%[89]|F0%8)/i

/**
 * Where requests would probably go for a path that cannot be taken as written, as a path without trailing slash: for
 * closing it there, lest they fall to a shorter route that is open. `admin` and `/x/../admin` give `/admin`, as do
 * `/admin(/|$)(.*)` of ingress-nginx and `/~/admin\d` of Kong. `/` where nothing is left to go by.
 */
export function guessPath(written: string): string {
  const rooted = `/${written.replace(/^(?:\/~(?=\/)|\^)/, '')}`
  const end = rooted.search(UNUSABLE)
  const usable = end === -1 ? rooted : rooted.slice(0, end).replace(/\.$/, '')
  const segments: string[] = []
  for (const segment of normalPath(usable).split('/')) {
    const plain = segment.replace(/;.*/, '')
    if (plain === '..') segments.pop()
    else if (segment !== '' && plain !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}`
}
