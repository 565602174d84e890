/** `password` and `passwordFile` beside each other: only one of them can be meant. */
type Origins = Map<string, string>

/**
 * Takes the one of the file away where the environment has set the other. Answers the paths of those that are left with
 * both.
 */
export function onePassword(raw: unknown, origins: Origins, path: string[] = []): string[][] {
  if (raw === null || typeof raw !== 'object') return []
  const holder = raw as Record<string, unknown>
  const deeper = Object.entries(holder).flatMap(([key, inner]) => onePassword(inner, origins, [...path, key]))
  if (holder.password === undefined || holder.passwordFile === undefined) return deeper
  const inFile = ['password', 'passwordFile'].filter((key) => origins.get([...path, key].join('.')) === 'file')
  const [spare] = inFile
  if (inFile.length !== 1 || spare === undefined) return [...deeper, [...path, 'passwordFile']]
  delete holder[spare]
  origins.delete([...path, spare].join('.'))
  return deeper
}
