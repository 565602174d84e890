/** A key pressed on a page of a walk, and the pages that it leads to. */

export interface Edge {
  answer: string
  /** Pages, by their ids. */
  to: Set<string>
  /** Presses that lead to whatever this one does: they meet in a call that is walked once. */
  also: Set<Edge>
}

export function edgesOf(answer: string): Edge {
  return { answer, to: new Set(), also: new Set() }
}

export function leadsTo(from: Edge, page: string): void {
  if (from.to.has(page)) return
  from.to.add(page)
  for (const other of from.also) leadsTo(other, page)
}

/** `other` has come to a call that `from` came to before. */
export function meets(from: Edge, other: Edge): void {
  from.also.add(other)
  for (const page of from.to) leadsTo(other, page)
}
