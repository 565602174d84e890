/** What the admin server answers about daemons, lines, alarms and the log, as schemas. */
import { z } from 'zod'
import { LOG_LEVELS, SUBSYSTEMS } from '../../base/index.ts'

export const momentText = z.string().meta({ format: 'date-time' })
const count = z.number().int().min(0)
const ms = z.number().describe('milliseconds')

const bindState = z.object({
  bind: z.string().describe('such as digicel/0'),
  state: z.string(),
  since: momentText.describe('when it was bound; if it is not bound: when the outage began'),
  peer: z.string().describe('host:port'),
  why: z.string().optional(),
  detail: z.string().optional().describe('in the words of the system or of the SMSC'),
  remedy: z.string().optional(),
  tries: count.optional().describe('how many have failed since then'),
  next: momentText.optional().describe('when it is tried next'),
})

const lineHeld = z.object({ since: momentText, by: z.string(), text: z.string().nullable() })

const lineRow = z.object({
  name: z.string(),
  group: z.string(),
  dialect: z.string(),
  stopped: z.boolean().describe('an operator stopped it'),
  held: lineHeld.optional().describe('new dials are turned away'),
  binds: z.array(bindState),
  cap: z
    .object({
      perSecond: z.number(),
      share: z.number().describe('what this daemon may send a second now'),
      used: z.number().describe('what it sent within the last second'),
      waiting: count,
      daemons: count,
      isAway: z.boolean(),
      account: z.string().optional(),
    })
    .optional(),
  traffic: z
    .object({
      received: z.number(),
      sent: z.number(),
      failed: z.number(),
      p95Ms: z.number().optional(),
      slots: count,
      taken: count,
    })
    .optional()
    .describe('PDUs a second, and how full the windows are'),
})

const alarmRow = z.object({
  alarm: z.string().describe('line-down, store-down, clock-wrong, certificate, daemon-gone, test-dial, test'),
  subject: z.string(),
  line: z.string().optional(),
  severity: z.enum(['critical', 'warning']),
  since: momentText,
  why: z.string(),
  remedy: z.string(),
  silenced: z.boolean(),
})

export const silenceAnswer = z.object({
  id: z.string(),
  line: z.string().nullable(),
  until: momentText,
  asked_by: z.string(),
  note: z.string(),
})

/** Of a row of one daemon among those of all. */
const whose = {
  instance: z.string(),
  ageMs: ms.optional().describe('absent: of the daemon that was asked'),
  isGone: z.boolean().optional(),
}

export const alarmsAnswer = z.object({
  alarms: z.array(alarmRow.extend(whose)),
  silences: z.array(silenceAnswer),
})

const daemonState = z.object({
  ready: z.boolean(),
  lines: z.array(lineRow),
  rates: z.object({ dials: z.number(), turns: z.number(), sms: z.number() }).describe('a second'),
  alarms: z.array(alarmRow),
  ends: z
    .array(z.object({ service: z.string(), flow: z.string(), reason: z.string(), count }))
    .optional()
    .describe('how dialogues ended since the start'),
  flows: z.array(z.string()).describe('those whose files are broken or recalled'),
  open: z
    .object({ open: z.record(z.string(), count), isWhole: z.boolean(), ageMs: ms })
    .optional()
    .describe('dialogues by the revision of their flow'),
})

export const instancesAnswer = z.object({
  instance: z.string().describe('who answers'),
  instances: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      node: z.string(),
      admin: z.string(),
      startedAt: momentText,
      ageMs: ms.describe('how old this is'),
      isGone: z.boolean(),
      state: daemonState,
    }),
  ),
  silences: z.array(silenceAnswer),
})

export const linesAnswer = z.object({
  lines: z.array(lineRow.extend(whose)),
})

export const lineEventsAnswer = z.object({
  events: z.array(
    z.object({
      at: momentText,
      instance: z.string(),
      line: z.string(),
      bind: z.string().nullable(),
      event: z
        .string()
        .describe('down, up, closed, added, changed, removed, stopped, started, held, released, refused'),
      peer: z.string().nullable(),
      why: z.string().nullable(),
      detail: z.string().nullable(),
      since: momentText.nullable(),
      tries: count,
    }),
  ),
})

/** With `instance=all`, what each of them says. */
const byAll = z.object({
  instances: z.array(z.looseObject({ instance: z.string() })),
  error: z.string().optional(),
  problems: z.array(z.string()).optional(),
})

const lineChange = z.object({ line: z.string(), stopped: z.boolean(), held: lineHeld.nullable() })
export const lineChangeAnswer = z.union([lineChange, byAll])

const lineRefusal = z.object({
  line: z.string(),
  peer: z.string(),
  why: z.string(),
  detail: z.string(),
  remedy: z.string(),
  tries: count,
})

const names = z.array(z.string())
const reloaded = z.object({
  added: names,
  changed: names,
  rebound: names,
  removed: names,
  kept: names,
  applied: z.array(
    z.object({
      setting: z.string(),
      what: z.enum(['added', 'changed', 'removed']),
      way: z.string(),
      why: z.string(),
    }),
  ),
  needRestart: z.array(z.object({ setting: z.string(), why: z.string() })),
  problems: names,
  refused: z.array(lineRefusal).optional().describe('lines that go on with their old settings'),
})
export const reloadAnswer = z.union([reloaded, byAll])

const logRows = z.object({
  level: z.string(),
  raised: z.array(
    z.object({ subsystem: z.enum(['all', ...SUBSYSTEMS]), level: z.enum(LOG_LEVELS), until: momentText }),
  ),
  followed: z.array(z.object({ msisdn: z.string().describe('masked'), subscriber: z.string(), until: momentText })),
})
export const logAnswer = z.union([logRows, byAll])

export const testDialsAnswer = z.object({
  dials: z.array(
    z.object({
      line: z.string(),
      service: z.string(),
      result: z.string().describe('ok, or why not'),
      why: z.string(),
      remedy: z.string(),
      ms,
      at: momentText,
      lastOkAt: momentText.nullable(),
      failingSince: momentText.nullable(),
      screen: z.string().optional().describe('the first screen, only for who asked for this dial'),
      instance: z.string().optional().describe('the daemon that dialled'),
    }),
  ),
  problems: z.array(z.string()).optional().describe('of daemons that did not dial'),
})

export const liveAnswer = z.object({ live: z.literal(true) })

const store = { ok: z.boolean(), notes: z.array(z.string()) }
export const readyAnswer = z.object({
  ready: z.boolean(),
  instance: z.string().optional().describe('from here on: only with a token'),
  standby: z.boolean().optional(),
  lines: z.record(z.string(), z.array(bindState)).optional(),
  stopped: names.optional(),
  held: names.optional(),
  stores: z
    .object({
      ok: z.boolean(),
      dialogues: z.object({
        ...store,
        kind: z.string(),
        durable: z.boolean(),
        nodes: z.object({ known: count, ready: count }).optional(),
      }),
      postgres: z.object({ ...store, kind: z.string() }),
    })
    .optional(),
  flows: z
    .array(
      z.object({
        name: z.string(),
        revision: z.string(),
        broken: z.string().optional(),
        recalled: z.string().optional(),
      }),
    )
    .optional(),
  clock: z.object({ ok: z.boolean(), aheadMs: z.record(z.string(), z.number()) }).optional(),
})
