/** The built-in samples: the only file that knows where they are. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Modules of back ends that settings may name without a path. They are loaded like an operator's own file. */
const SAMPLE_MODULES: Readonly<Record<string, string>> = { dental: '../../samples/dental/index' }

/** The file of a sample module; undefined if there is no such sample. */
export function sampleModule(name: string): string | undefined {
  if (!Object.hasOwn(SAMPLE_MODULES, name)) return undefined
  // Samples are beside this file: sources beside sources, built files beside built files.
  return fileURLToPath(new URL(SAMPLE_MODULES[name] + extname(import.meta.url), import.meta.url))
}

export const sampleModules: readonly string[] = Object.keys(SAMPLE_MODULES)

/** The sample service that speaks HTTP. */
export async function startSampleWallet(options: { host?: string; port: number }) {
  const { startWallet } = await import('../../samples/topup/index.ts')
  return startWallet(options)
}
