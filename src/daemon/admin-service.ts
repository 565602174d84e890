/** The admin routes' way into the daemon: dialogues, flows and lines as they stand. And the tokens that open it. */
import { readFileSync } from 'node:fs'
import { readTokens, type Token, type AdminService, type DialogueSummary } from '../admin/index.ts'
import type { Settings } from '../config/index.ts'
import type { DialogueRecord, DialogueStore } from '../dialogue/index.ts'
import { ProblemsError, UsageError, maskMsisdn } from '../base/index.ts'
import type { Gateway } from '../gateway/index.ts'
import type { Replacing } from '../sms/outbox/index.ts'
import type { Lines } from './lines.ts'
import type { Push } from '../push/index.ts'
import type { Reloaded } from './reload.ts'

export interface AdminServiceDeps {
  settings: Settings
  dialogues: DialogueStore
  lines: Lines
  gateway: Gateway
  push: Push
  trace: AdminService['trace']
  sms: Replacing
  reload(): Reloaded
}

export function createAdminService({
  settings,
  dialogues,
  lines,
  gateway,
  push,
  trace,
  sms,
  reload,
}: AdminServiceDeps): AdminService {
  // Lines may come and go: so may their groups.
  const groups = () => groupsOf(settings)
  return {
    async dialogues(msisdn) {
      const found = await Promise.all(groups().map((group) => dialogues.find({ group, msisdn })))
      return found.filter((record) => record !== null).map(summaryOf)
    },
    async endDialogue(group, msisdn) {
      const ended = await gateway.end({ group, msisdn })
      return ended && summaryOf(ended)
    },
    push({ flow, text = '', language, line, sms, ...asked }) {
      const how = { ...asked, ...(line === undefined ? {} : { line }), ...(sms === undefined ? {} : { sms }) }
      if (flow === undefined) return push.notify({ ...how, text })
      return push.push({ ...how, flow, ...(language === undefined ? {} : { language }) })
    },
    trace,
    sms: {
      of: async (msisdn) =>
        (await sms.of(msisdn)).map(({ due_at: due, submitted_at: sent, ...row }) => ({
          ...row,
          dueAt: due.toISOString(),
          submittedAt: sent?.toISOString() ?? null,
        })),
      replace: (id, text) => sms.replace(id, text),
    },
    lines() {
      const states = lines.states()
      return settings.lines.map(({ name, group = name, dialect }) => ({
        name,
        group,
        dialect,
        stopped: lines.get(name) === undefined,
        binds: states[name] ?? [],
      }))
    },
    haltLine: (name) => lines.halt(name),
    resumeLine: (name) => lines.resume(name),
    async reload() {
      try {
        const { changed, ...told } = reload()
        const refused = await lines.settled()
        return { ...told, changed: changed.filter((name) => !refused.some(({ line }) => line === name)), refused }
      } catch (error) {
        if (error instanceof ProblemsError || error instanceof UsageError) return { problem: error.message }
        throw error
      }
    },
  }
}

/** Where dialogues of these settings may be. */
export function groupsOf(settings: Settings): string[] {
  const groups = settings.lines.map((line) => line.group ?? line.name)
  return [...new Set(settings.door ? [...groups, settings.door.name] : groups)]
}

/** Throws UsageError or ProblemsError. */
export function tokensOf(settings: Settings): Token[] {
  const file = settings.admin.tokensFile
  if (file === undefined) return []
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`admin.tokensFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  return readTokens(file, text)
}

function summaryOf(record: DialogueRecord): DialogueSummary {
  const { key, line, epoch, status, revision, turn, openedMs, touchedMs, ended } = record
  return {
    group: key.group,
    msisdn: maskMsisdn(key.msisdn),
    line,
    epoch,
    status,
    flow: revision,
    turn,
    openedMs,
    touchedMs,
    ended,
  }
}
