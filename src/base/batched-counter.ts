/**
 * A counter that adds up in its own cells and updates prom-client when it is read. Labels are checked and joined once
 * per cell, and not at each count; a turn has a dozen counts.
 */
import { Counter, type Registry } from 'prom-client'

export interface BatchedCounter {
  count(labels: Readonly<Record<string, string>>, by: number): void
  /** Removes the counts with this label, because its subject is gone. Only for the first label. */
  forget(label: string, value: string): void
  /** The values in prom-client's form, with everything counted so far. */
  values(): Promise<{ labels: Record<string, string>; value: number }[]>
}

export interface BatchedCounterOptions {
  name: string
  help: string
  labelNames: readonly string[]
  registry: Registry
}

interface Cell {
  labels: Record<string, string>
  /** Counted, but not yet passed to prom-client. */
  sum: number
}

type Level = Map<string, Level | Cell>

export function batchedCounter({ name, help, labelNames, registry }: BatchedCounterOptions): BatchedCounter {
  const cells: Cell[] = []
  const root: Level = new Map()
  const counter = new Counter({ name, help, labelNames: [...labelNames], registers: [registry], collect: tell })

  function tell(): void {
    for (const cell of cells) {
      if (cell.sum === 0) continue
      counter.inc(cell.labels, cell.sum)
      cell.sum = 0
    }
  }

  /** Throws on a label that the counter does not have. */
  function newCell(labels: Readonly<Record<string, string>>): Cell {
    const strange = Object.keys(labels).find((label) => !labelNames.includes(label))
    if (strange !== undefined) throw new Error(`counter ${name} has no label '${strange}'`)
    const cell = { labels: { ...labels }, sum: 0 }
    cells.push(cell)
    return cell
  }

  function cellOf(labels: Readonly<Record<string, string>>): Cell {
    let level = root
    const last = labelNames.length - 1
    for (let i = 0; i < last; i++) {
      const value = labels[labelNames[i]!] ?? ''
      let next = level.get(value) as Level | undefined
      if (!next) level.set(value, (next = new Map()))
      level = next
    }
    const value = (last < 0 ? '' : labels[labelNames[last]!]) ?? ''
    let cell = level.get(value) as Cell | undefined
    if (!cell) level.set(value, (cell = newCell(labels)))
    return cell
  }

  return {
    count(labels, by) {
      cellOf(labels).sum += by
    },
    forget(label, value) {
      if (labelNames[0] !== label) throw new Error(`counter ${name}: the first label is not '${label}'`)
      root.delete(value)
      for (const cell of cells.splice(0)) {
        if (cell.labels[label] !== value) cells.push(cell)
        else counter.remove(cell.labels)
      }
    },
    async values() {
      return (await counter.get()).values as { labels: Record<string, string>; value: number }[]
    },
  }
}
