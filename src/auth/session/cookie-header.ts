/**
 * Every value that a Cookie header holds for a name, in the order sent (RFC 6265 §5.4: longer paths first, then
 * older cookies). Values are as sent, without decoding. Jumps from hit to hit instead of parsing what is foreign, and
 * over what is found, because this runs on every request: a session's value is most of its header.
 */
export function cookieValues(cookieHeader: string, name: string): readonly string[] {
  const needle = `${name}=`
  let at = cookieHeader.indexOf(needle)
  if (at === -1) return NO_VALUES
  const values: string[] = []
  while (at !== -1) {
    let from = at + needle.length
    if (beginsPair(cookieHeader, at)) {
      const end = cookieHeader.indexOf(';', from)
      values.push(cookieHeader.slice(from, end === -1 ? undefined : end).trim())
      if (end === -1) return values
      from = end
    }
    at = cookieHeader.indexOf(needle, from)
  }
  return values
}

/** The request's Cookie header as one string; empty where there is none. */
export function cookieHeaderOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>) {
  const value = headers['cookie']
  if (value === undefined) return ''
  return typeof value === 'string' ? value : value.join('; ')
}

/** A Cookie header as the browser sends it once it has taken these Set-Cookie fields, path and domain aside. */
export function cookieHeaderAfter(
  cookieHeader: string,
  setCookies: readonly (readonly [name: string, value: string])[],
): string {
  const cookies = new Map<string, string>()
  for (const pair of cookieHeader.split(';')) cookies.set(nameOf(pair), pair.trim())
  for (const [field, value] of setCookies) {
    if (field !== 'set-cookie') continue
    const [pair = '', ...attributes] = value.split(';')
    if (attributes.some((each) => each.trim() === 'Max-Age=0')) cookies.delete(nameOf(pair))
    else cookies.set(nameOf(pair), pair.trim())
  }
  return [...cookies.values()].filter((pair) => pair !== '').join('; ')
}

function nameOf(pair: string): string {
  return pair.split('=', 1)[0]?.trim() ?? ''
}

const NO_VALUES: readonly string[] = []
const SEMICOLON = 0x3b

/** The hit may be the end of a longer name or the inside of a value. */
function beginsPair(cookieHeader: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && (cookieHeader[before] === ' ' || cookieHeader[before] === '\t')) before -= 1
  return before < 0 || cookieHeader.charCodeAt(before) === SEMICOLON
}
