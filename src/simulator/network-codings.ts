/** The voice of a dialect by its name. */
import { loadProfile } from '../smpp/dialect/load.ts'
import { profileVoice } from './network-encoder.ts'
import { standardVoice, type Voice } from './network-coding.ts'

/**
 * `standard` is the simulator's own reading of the specification, so that a fault in the dialect code cannot hide at both
 * ends; any other name or path is a profile, heard from the other side. Throws ProblemsError.
 */
export function voiceOf(nameOrPath: string, dir: string): Voice {
  return nameOrPath === 'standard' ? standardVoice() : profileVoice(loadProfile(nameOrPath, dir))
}
