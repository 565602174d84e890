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

/**
 * The last few of what is made for objects that come and go with each turn, to be looked through. A WeakMap keeps what
 * it holds over a young collection, whether its key is dead or not: docs/WHY.md, "What outlives a young collection".
 */
export class LastFew<T> {
  readonly held: T[] = []
  readonly #max: number
  #next = 0

  constructor(max: number) {
    this.#max = max
  }

  /** In place of the oldest, if there are as many as may be. */
  add(one: T): void {
    this.held[this.#next] = one
    this.#next = (this.#next + 1) % this.#max
  }
}
