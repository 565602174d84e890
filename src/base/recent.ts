/**
 * Remembers the values that were set last: at least `min`, at most twice as many. Nothing is deleted one by one: a Map
 * in which keys come and go builds its table again and again, and each table keeps the next one from being collected
 * young.
 */
export class Recent<Key, Value> {
  readonly #min: number
  #newer = new Map<Key, Value>()
  #older = new Map<Key, Value>()

  constructor(min: number) {
    this.#min = min
  }

  get(key: Key): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key)
  }

  set(key: Key, value: Value): void {
    this.#newer.set(key, value)
    if (this.#newer.size < this.#min) return
    this.#older = this.#newer
    this.#newer = new Map()
  }
}
