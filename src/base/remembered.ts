/** Caches computed values up to a limit. Above it, all of them are dropped. */
export function remembered<T>(max: number): (key: string, make: () => T) => T {
  const held = new Map<string, T>()
  return (key, make) => {
    const known = held.get(key)
    if (known !== undefined) return known
    if (held.size >= max) held.clear()
    const made = make()
    held.set(key, made)
    return made
  }
}
