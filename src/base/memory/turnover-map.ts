/** How many keys are set before a new Map is begun, beside those that are there: some kilobytes of table. */
const SET_MAX = 512

/**
 * A Map whose keys come and go all the time. V8 builds the table of a Map again whenever deleted keys have filled it,
 * and each table refers to the next one: if one has become old, all later ones and what is in them are kept from being
 * collected young. So this Map begins again from time to time. (docs/WHY.md, "What a turn allocates")
 */
export class TurnoverMap<Key, Value> implements Iterable<[Key, Value]> {
  #map = new Map<Key, Value>()
  #set = 0

  get size(): number {
    return this.#map.size
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  has(key: Key): boolean {
    return this.#map.has(key)
  }

  /** Keys stay in the order in which they were set first. Not while it is iterated. */
  set(key: Key, value: Value): void {
    if (++this.#set > SET_MAX + this.#map.size) {
      this.#set = 0
      this.#map = new Map(this.#map)
    }
    this.#map.set(key, value)
  }

  delete(key: Key): boolean {
    return this.#map.delete(key)
  }

  clear(): void {
    this.#map = new Map()
  }

  keys(): MapIterator<Key> {
    return this.#map.keys()
  }

  values(): MapIterator<Value> {
    return this.#map.values()
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.#map[Symbol.iterator]()
  }
}
