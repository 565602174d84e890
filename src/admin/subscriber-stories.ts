/**
 * What one subscriber saw and did, put together for the admin server: records and SMS from Postgres, what is open from
 * the store of dialogues.
 */
import { subscriberHash, type SqlRunner } from '../base/index.ts'
import type { DialogueStore } from '../dialogue/index.ts'
import { rowsOfSubscriber, type Story, storyOf } from '../enquiry/index.ts'
import type { ScreenTypes } from '../flow/language/index.ts'
import { MOMENT_FORMS, momentBackMs } from './moments.ts'

/** Without a time: what happened within a day. */
const USUAL_MS = 86_400_000

export interface StoryTold extends Story {
  msisdn: string
  /** The hash by which the log of this daemon names the subscriber. */
  subscriber: string
  since: string
  until: string
  zone: string
}

export interface StoriesDeps {
  sql: SqlRunner
  dialogues: Pick<DialogueStore, 'find'>
  groups(): string[]
  /** The types of screens with which kept revisions are read. */
  types: ScreenTypes
  /** That of the log. */
  key: Buffer
  clock: { now(): number }
  settings: { reminders: { zone: string } }
}

export interface StoryAsked {
  since: string | undefined
  until: string | undefined
}

/** Rejects if Postgres or the store is unreachable. */
export function subscriberStories(deps: StoriesDeps) {
  const { sql, dialogues, groups, types, key, clock, settings } = deps
  const { zone } = settings.reminders
  return {
    subscriberHash: (msisdn: string) => subscriberHash(key, msisdn),
    async subscriberStory(msisdn: string, asked: StoryAsked): Promise<StoryTold | { refused: string }> {
      const nowMs = clock.now()
      const moment = (written: string) => momentBackMs(written, { zone, nowMs })
      const sinceMs = asked.since === undefined ? nowMs - USUAL_MS : moment(asked.since)
      const untilMs = asked.until === undefined ? nowMs + 1 : moment(asked.until)
      for (const [name, ms] of Object.entries({ since: sinceMs, until: untilMs }))
        if (ms === null) return { refused: `${name}: '${asked[name as keyof StoryAsked]}' is not ${MOMENT_FORMS}` }
      if (sinceMs! >= untilMs!) return { refused: 'until must be later than since' }
      const stored = await Promise.all(groups().map((group) => dialogues.find({ group, msisdn })))
      const open = stored.filter((record) => record !== null && record.ended === null && record.openedMs < untilMs!)
      const revisions = open.flatMap((record) => record?.revision || [])
      const found = await rowsOfSubscriber(sql, { msisdn, sinceMs: sinceMs!, untilMs: untilMs!, open: revisions })
      return {
        msisdn,
        subscriber: subscriberHash(key, msisdn),
        since: new Date(sinceMs!).toISOString(),
        until: new Date(untilMs!).toISOString(),
        zone,
        ...storyOf(
          found,
          open.filter((record) => record !== null),
          types,
        ),
      }
    },
  }
}
