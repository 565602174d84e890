/** Groups and counts what was seen. */

export function groupBy<T, K>(list: readonly T[], key: (it: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const it of list) {
    const group = groups.get(key(it))
    if (group) group.push(it)
    else groups.set(key(it), [it])
  }
  return groups
}

/** The value that all have. Undefined if they differ or there is none. */
export function only<T>(list: readonly T[]): T | undefined {
  return new Set(list).size === 1 ? list[0] : undefined
}

/** The most frequent value, and how many have it. */
export function commonest<T>(list: readonly T[]): { value: T; count: number } | undefined {
  const ranked = [...groupBy(list, (it) => it)].toSorted((a, b) => b[1].length - a[1].length)
  return ranked[0] && { value: ranked[0][0], count: ranked[0][1].length }
}
