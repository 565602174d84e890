/** Deadlines by name, the earliest first: a binary heap. Outdated items are skipped when they reach the top. */

export interface Deadlines {
  /** Null removes the name. */
  set(name: string, atMs: number | null): void
  /**
   * At most `limit` names whose time has come, the earliest first, then by name. They stay until they are set again.
   */
  due(nowMs: number, limit: number): string[]
  at(name: string): number | undefined
  size(): number
}

interface Item {
  name: string
  atMs: number
}

/** How many outdated items the heap may have, besides one per name, before it is built again. */
const OUTDATED_MAX = 1_000

export function deadlines(): Deadlines {
  const current = new Map<string, number>()
  let heap: Item[] = []

  const fresh = (item: Item) => current.get(item.name) === item.atMs
  const rebuild = () => {
    heap = [...current].map(([name, atMs]) => ({ name, atMs })).toSorted(order)
  }
  return {
    at: (name) => current.get(name),
    size: () => current.size,
    set(name, atMs) {
      if (atMs === null) return void current.delete(name)
      if (current.get(name) === atMs) return
      current.set(name, atMs)
      push(heap, { name, atMs })
      if (heap.length > 2 * current.size + OUTDATED_MAX) rebuild()
    },
    due(nowMs, limit) {
      const found = new Map<string, Item>()
      while (heap[0] && heap[0].atMs <= nowMs && found.size < limit) {
        const item = pop(heap)!
        if (fresh(item)) found.set(item.name, item)
      }
      for (const item of found.values()) push(heap, item)
      return [...found.keys()]
    },
  }
}

function order(a: Item, b: Item): number {
  return a.atMs - b.atMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

function push(heap: Item[], item: Item): void {
  let at = heap.push(item) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (order(heap[parent]!, item) <= 0) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = item
}

function pop(heap: Item[]): Item | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (!top || !last || heap.length === 0) return top
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && order(heap[child + 1]!, heap[child]!) < 0) child++
    if (order(last, heap[child]!) <= 0) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return top
}
