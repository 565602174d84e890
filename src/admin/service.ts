/** The functions behind the admin routes: look at a running daemon and change it. None of them shows a text. */
import type { ConfiguredLine, Settings } from '../config/index.ts'
import type { DialogueRecord, DialogueStore } from '../dialogue/index.ts'
import { ProblemsError, UsageError, maskMsisdn } from '../base/index.ts'
import type { Gateway } from '../gateway/index.ts'
import type { NotifyRequest, Push, PushRequest } from '../push/index.ts'
import type { BindDown, BindRow } from '../smpp/index.ts'
import type { Replacing, SmsRow } from '../sms/outbox/index.ts'
import type { TraceAsked } from '../tools/recorder/index.ts'

/** The lines that run, as far as an operator sees and changes them. */
export interface OperatedLines {
  /** Undefined: stopped, or there is none of that name. */
  get(name: string): object | undefined
  /** Also those that are stopped (no binds) or on their way out. */
  states(): Record<string, BindState[]>
  /** Resolves when every changed line has a verdict, with the lines that keep their old settings. */
  settled(): Promise<LineRefusal[]>
  /** Unbinds a line in order, until `resume` or a restart. False: there is no line of that name. */
  halt(name: string): boolean
  resume(name: string): boolean
}

/** As people and programs read it: `since` in ISO 8601, the reasons beside the rest. */
export type BindState = Omit<BindRow, 'since' | 'down'> & Partial<BindDown> & { since: string }

/** Why a line could not be bound with its new settings. */
export interface LineRefusal extends BindDown {
  line: string
  /** host:port that was tried. */
  peer: string
}

/** Names of lines. */
export interface LinesChange {
  added: string[]
  changed: string[]
  removed: string[]
  kept: string[]
}

/** `needRestart`: top-level settings that differ from what is in force. */
export type Reloaded = LinesChange & { needRestart: string[] }

/** `refused`: changed in the file, but they could not bind, so they go on as before. */
export type LinesReloaded = Reloaded & { refused: LineRefusal[] }

export interface LineRow extends Pick<ConfiguredLine, 'name' | 'dialect'> {
  group: string
  /** By an operator; until it is started, or the daemon is. */
  stopped: boolean
  binds: BindState[]
}

/** `flow`: `dental@9f2c01ab77de`; '' during the first turn. */
export interface DialogueSummary extends Pick<
  DialogueRecord,
  'line' | 'epoch' | 'status' | 'turn' | 'openedMs' | 'touchedMs' | 'ended'
> {
  group: string
  /** Masked. */
  msisdn: string
  flow: string
}

/** `submittedAt` null: it has not been sent. */
export type SmsSummary = Omit<SmsRow, 'due_at' | 'submitted_at'> & { dueAt: string; submittedAt: string | null }

export interface TraceTold {
  pdus: number
  /** As a capture file; as a listing. */
  pcap(): Buffer
  text(): string
}

export interface AdminServiceDeps {
  settings: Settings
  /** Of dialogues. Lines may come and go: so may their groups. */
  groups(): string[]
  dialogues: Pick<DialogueStore, 'find'>
  lines: OperatedLines
  gateway: Pick<Gateway, 'end'>
  push: Push
  /** What passed on a line lately. Null: there is no such line. */
  trace(line: string, asked: TraceAsked): TraceTold | null
  sms: Replacing
  /** Throws ProblemsError or UsageError. */
  reload(): Reloaded
}

export type AdminService = ReturnType<typeof createAdminService>

export function createAdminService(deps: AdminServiceDeps) {
  const { settings, dialogues, lines, gateway, push, sms } = deps
  return {
    /** The dialogues of one MSISDN, one a line group at most; open ones and tombstones. */
    async dialogues(msisdn: string): Promise<DialogueSummary[]> {
      const found = await Promise.all(deps.groups().map((group) => dialogues.find({ group, msisdn })))
      return found.filter((record) => record !== null).map(summaryOf)
    },
    /** Ends it with a text. Null: nothing was open. */
    async endDialogue(group: string, msisdn: string): Promise<DialogueSummary | null> {
      const ended = await gateway.end({ group, msisdn })
      return ended && summaryOf(ended)
    },
    /** Shows a flow's first screen, or a text, to a subscriber who has not dialled. */
    push: (asked: PushRequest | NotifyRequest) => ('flow' in asked ? push.push(asked) : push.notify(asked)),
    trace: deps.trace,
    /** The newest of one subscriber. */
    smsOf: async (msisdn: string): Promise<SmsSummary[]> =>
      (await sms.of(msisdn)).map(({ due_at: due, submitted_at: sent, ...row }) => ({
        ...row,
        dueAt: due.toISOString(),
        submittedAt: sent?.toISOString() ?? null,
      })),
    /** Replaces the text of one of them; answers the outcome (docs/SMS.md). */
    replaceSms: (id: string, text: string) => sms.replace(id, text),
    lines(): LineRow[] {
      const states = lines.states()
      return settings.lines.map(({ name, group = name, dialect }) => ({
        name,
        group,
        dialect,
        stopped: lines.get(name) === undefined,
        binds: states[name] ?? [],
      }))
    },
    /** False: there is none of that name. */
    haltLine: (name: string) => lines.halt(name),
    resumeLine: (name: string) => lines.resume(name),
    /**
     * Reads the settings again and makes the lines theirs. Answers when it is known of each changed one whether it was
     * taken.
     */
    async reload(): Promise<LinesReloaded | { problem: string }> {
      try {
        const { changed, ...told } = deps.reload()
        const refused = await lines.settled()
        return { ...told, changed: changed.filter((name) => !refused.some(({ line }) => line === name)), refused }
      } catch (error) {
        if (error instanceof ProblemsError || error instanceof UsageError) return { problem: error.message }
        throw error
      }
    },
  }
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
