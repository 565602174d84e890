/**
 * A Map that forgets: it knows the `max` keys that were set last, and at most as many more. Keys go by the generation,
 * and not one by one: a Map whose keys come and go moves to the old heap, key by key and table by table. (docs/WHY.md,
 * "What outlives a young collection")
 */
export class RecentMap<Key, Value> {
  readonly #max: number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: Key): Value | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#max && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
