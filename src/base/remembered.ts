/**
 * Caches computed values up to a limit. Above it, all of them are dropped. What is asked in each turn passes a `make`
 * that stands for itself, so that no closure is made for it.
 */
export function remembered<T>(max: number): (key: string, make: (key: string) => T) => T {
  const held = new Map<string, T>()
  return (key, make) => {
    const known = held.get(key)
    if (known !== undefined) return known
    if (held.size >= max) held.clear()
    const made = make(key)
    held.set(key, made)
    return made
  }
}

/** Derives something from each object once, however many ask. It goes with the object, which must not change. */
export function oncePer<O extends object, T>(derive: (of: O) => T): (of: O) => T {
  const derived = new WeakMap<O, { it: T }>()
  return (of) => {
    const known = derived.get(of) ?? { it: derive(of) }
    derived.set(of, known)
    return known.it
  }
}
