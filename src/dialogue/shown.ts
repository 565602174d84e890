/**
 * A dialogue in the form in which it may be shown, exported or stored elsewhere: without what may be a PIN. Only the
 * record itself has everything.
 */
import { APP_LEAD } from '../flow/engine/index.ts'
import { type CodeRoute, shownCode, type JsonObject } from '../ussd/index.ts'
import type { DialogueRecord } from './types.ts'

const BLANK = '****'

/**
 * Whether the last answer may be a secret: the dialogue has asked for one (a copy of that answer may come late, to the
 * next screen), or its screens come from an application, which does not say what it asks for.
 */
export function mayBeSecret({ revision, snapshot }: Pick<DialogueRecord, 'revision' | 'snapshot'>): boolean {
  return hasAskedSecret(snapshot) || isApp(revision)
}

/** Whether the flow has asked for a secret; also if that is not known. */
export function hasAskedSecret(snapshot: DialogueRecord['snapshot']): boolean {
  const context = snapshot?.context as { gate?: string } | undefined
  return context === undefined || context.gate !== undefined
}

/**
 * A snapshot without what was dialled behind the service's code. For an application it is a part of what was entered,
 * and the application needs it.
 */
export function withoutDialled(snapshot: JsonObject, revision: string, routes: readonly CodeRoute[]): JsonObject {
  const context = snapshot.context as JsonObject | undefined
  return context === undefined || isApp(revision) ? snapshot : { ...snapshot, context: undialled(context, routes) }
}

/** A record for export: `****` for answers that may be secret, and of codes only the part of the service. */
export function shownRecord(record: DialogueRecord, routes: readonly CodeRoute[]): DialogueRecord {
  const { code, answer, returnPath, network, snapshot } = record
  const [ton, npi, address] = returnPath.to
  const shown = shownCode(address, routes)
  return {
    ...record,
    code: shownCode(code, routes),
    // Some networks have the address in their name of a dialogue.
    network: shown === address ? network : network.replaceAll(address, shown),
    returnPath: { ...returnPath, to: [ton, npi, shown] },
    answer: answer.text !== '' && mayBeSecret(record) ? { ...answer, text: BLANK } : answer,
    snapshot: snapshot && shownSnapshot(snapshot, record.revision, routes),
  }
}

function shownSnapshot(snapshot: JsonObject, revision: string, routes: readonly CodeRoute[]): JsonObject {
  const context = snapshot.context as JsonObject | undefined
  if (context === undefined) return snapshot
  const shown = undialled(context, routes)
  return { ...snapshot, context: isApp(revision) ? unentered(shown) : shown }
}

function undialled(context: JsonObject, routes: readonly CodeRoute[]): JsonObject {
  const resume = context.resume as { value: string; context: JsonObject } | null | undefined
  return {
    ...context,
    ...(typeof context.code === 'string' ? { code: shownCode(context.code, routes) } : {}),
    ...(Array.isArray(context.dialled) ? { dialled: [] } : {}),
    ...(resume?.context ? { resume: { ...resume, context: undialled(resume.context, routes) } } : {}),
  }
}

/** What was entered in an application's dialogue occurs twice: all of it, and the newest answer. */
function unentered(context: JsonObject): JsonObject {
  const vars = { ...(context.vars as JsonObject | undefined) }
  for (const name of ['text', 'input']) if (typeof vars[name] === 'string' && vars[name] !== '') vars[name] = BLANK
  return { ...context, vars }
}

function isApp(revision: string): boolean {
  return revision.startsWith(APP_LEAD)
}
