/**
 * `dialect infer|list|show|test`: infers a profile from recordings, lists and shows the known ones, and tests one
 * against the simulator.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import { readPdus, type Captured } from '../../tools/capture/index.ts'
import { infer, nearestProfile, printProfile } from '../../tools/infer/index.ts'
import { packageRoot } from '../../base/index.ts'
import { dialectNames, loadProfile, type DialectProfile } from '../../smpp/dialect/index.ts'
import { asJson } from '../admin.ts'
import type { Say } from '../arguments.ts'
import { tableOf } from '../table.ts'

export const DIALECTS = join(packageRoot, 'dialects')

/** Every shipped profile. */
export function knownProfiles(): DialectProfile[] {
  return dialectNames(DIALECTS).map((name) => loadProfile(name, DIALECTS))
}

export function inferCommand(file: string, options: { name?: string }, say: Say): void {
  const { pdus, remarks } = readPdus(file)
  say(profileText(pdus, remarks, profileName(options.name ?? basename(file).replace(/\.\w+$/, ''))))
}

/** The profile that fits recorded PDUs, as YAML. */
export function profileText(pdus: readonly Captured[], remarks: readonly string[], name: string): string {
  const standard = loadProfile('standard', DIALECTS)
  const inference = infer(pdus, standard, name)
  const nearest = inference.recording.dialogues.length > 0 ? nearestProfile(inference, knownProfiles()) : undefined
  return printProfile(inference, { standard, nearest, remarks })
}

/** Makes the name of a profile from that of a file. */
export function profileName(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
  return plain === '' ? 'inferred' : plain
}

export function listDialects({ json }: { json?: boolean }, say: Say): void {
  const known = knownProfiles().map(({ name, confidence, seen }) => ({ name, confidence, seen }))
  if (json) return say(asJson(known))
  const rows = known.map(({ name, confidence, seen }) => [name, confidence, seen])
  for (const line of tableOf(['PROFILE', 'CONFIDENCE', 'SEEN'], rows)) say(line)
}

/** The file as written, or with `full` everything that is in force. */
export function showCommand(name: string, options: { full?: boolean }, say: Say): void {
  const profile = loadProfile(name, DIALECTS)
  const isName = dialectNames(DIALECTS).includes(name)
  if (options.full) return say(stringify(profile, { lineWidth: 110 }).trimEnd())
  say(readFileSync(isName ? join(DIALECTS, `${name}.yaml`) : name, 'utf8').trimEnd())
}
