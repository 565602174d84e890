/** The network coding of a dialect, by the name of the dialect. */
import { loadProfile } from '../../smpp/dialect/index.ts'
import { profileCoding } from './profile-encoder.ts'
import type { NetworkCoding } from './coding.ts'
import { standardCoding } from './standard.ts'

/**
 * `standard` is the simulator's own reading of the specification, so that a fault in the dialect code cannot hide at
 * both ends. Any other name or path is a profile, used from the network's end. Throws ProblemsError.
 */
export function networkCodingOf(nameOrPath: string, dir: string): NetworkCoding {
  return nameOrPath === 'standard' ? standardCoding() : profileCoding(loadProfile(nameOrPath, dir))
}
