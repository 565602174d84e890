/** The secret that goes into the hash of each PIN, if there is a key file. */
import type { Settings } from '../config/index.ts'
import { pinPepper } from '../services/pin/index.ts'
import { storeNamesKey } from '../store/index.ts'

/** Throws UsageError or ProblemsError if the key file is not right. */
export function pinPepperOf({ privacy: { storeKeyFile } }: Pick<Settings, 'privacy'>): Buffer | undefined {
  return storeKeyFile === undefined ? undefined : pinPepper(storeNamesKey(storeKeyFile))
}
