/** The folders of flows that come along: those that the sample serves, and one for each example. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the examples, by their folders. */
export const EXAMPLES: readonly string[] = readdirSync('examples/flows', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted()

export const exampleFolder = (name: string) => join('examples/flows', name, 'flows')

export const FOLDERS: readonly string[] = ['flows', ...EXAMPLES.map(exampleFolder)]
