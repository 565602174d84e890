/** did-you-mean: the nearest of several names, if one is near. */

/** A remedy such as `did you mean 'bought'?`, or undefined. At most a third of the word may differ. */
export function didYouMean(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const name of names) {
    const far = distance(word.toLowerCase(), name.toLowerCase())
    if (far < least) {
      least = far
      best = name
    }
  }
  return best === undefined ? undefined : `did you mean '${best}'?`
}

/** Edits between two words; two neighbours swapped are one edit. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const edits = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      next[j] = swapped ? Math.min(edits, before[j - 2]! + 1) : edits
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** A remedy: the name that was probably meant, or all possible names. */
export function remedyAmong(written: string, names: Iterable<string>): string {
  const all = [...names]
  const near = didYouMean(written, all)
  if (near !== undefined) return near
  return all.length === 0
    ? 'there are none'
    : `there ${all.length === 1 ? 'is' : 'are'}: ${all.slice(0, 12).join(', ')}`
}
