/** The voice of a dialect by its name. */
import { loadProfile } from '../smpp/dialect/index.ts'
import { profileCoding } from './network-encoder.ts'
import { standardCoding, type NetworkCoding } from './network-coding.ts'

/**
 * `standard` is the simulator's own reading of the specification, so that a fault in the dialect code cannot hide at
 * both ends; any other name or path is a profile, heard from the other side. Throws ProblemsError.
 */
export function networkCodingOf(nameOrPath: string, dir: string): NetworkCoding {
  return nameOrPath === 'standard' ? standardCoding() : profileCoding(loadProfile(nameOrPath, dir))
}
