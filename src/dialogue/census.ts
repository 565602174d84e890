/** Counting dialogues by flow revision. Pure. */

export function tallied(revisions: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const revision of revisions) counts.set(revision, (counts.get(revision) ?? 0) + 1)
  return counts
}
