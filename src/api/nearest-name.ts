/** The known name that a typo most likely meant; `undefined` where none is near. Case does not matter. */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  const name = written.slice(0, 64).toLowerCase()
  let nearest: string | undefined
  let least = Math.min(4, Math.ceil(name.length / 3) + 1)
  for (const each of known) {
    const distance = editDistance(name, each.toLowerCase(), least)
    if (distance >= least) continue
    least = distance
    nearest = each
  }
  return nearest
}

/** Levenshtein's, as far as it is below a limit: of ten thousand names most are far from the start. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    let least = i
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const distance = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced)
      next.push(distance)
      least = Math.min(least, distance)
    }
    if (least >= limit) return limit
    row = next
  }
  return row[b.length] ?? 0
}
