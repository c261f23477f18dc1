import { RE2JS } from 're2js'
import type { PathRewrite } from '../../table/route-traffic.ts'

/** A longer path is not matched with a pattern: that takes 50 ns a character, and strangers send the paths. */
export const MAXIMUM_MATCHED_LENGTH = 2048

/** Makes the path that the upstream sees of the one that was sent, byte by byte. */
export class PathRewriter {
  readonly #template: PathRewrite['template']
  readonly #pattern: RE2JS | undefined
  readonly #segments: number

  /** @param routePath in normal form, in which every slash of the path as sent is one */
  constructor({ template, pattern }: PathRewrite, routePath: string) {
    this.#template = template
    // RE2's syntax and linear time: neither who writes patterns nor who sends paths can stall a thread.
    this.#pattern = pattern === undefined ? undefined : RE2JS.compile(pattern)
    this.#segments = routePath === '/' ? 0 : routePath.split('/').length - 1
  }

  get hasPattern(): boolean {
    return this.#pattern !== undefined
  }

  /** @returns `undefined` where the pattern does not match the whole path. */
  rewrite(path: string): string | undefined {
    if (this.#pattern === undefined) return this.#fill(() => pathBehind(path, this.#segments))
    const matcher = this.#pattern.matcher(path)
    if (!matcher.matches()) return undefined
    return this.#fill((group) => matcher.group(group) ?? '')
  }

  #fill(groupText: (group: number) => string): string {
    let text = ''
    for (const part of this.#template) text += typeof part === 'string' ? part : groupText(part)
    return text
  }
}

/** What follows so many segments and the slash behind them. */
function pathBehind(path: string, segments: number): string {
  let slash = 0
  for (let i = 0; i < segments; i += 1) {
    slash = path.indexOf('/', slash + 1)
    if (slash === -1) return ''
  }
  return path.slice(slash + 1)
}
