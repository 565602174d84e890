/**
 * What one subscriber saw and did, put together for the admin server: records and SMS from Postgres, what is open from
 * the store of dialogues.
 */
import { subscriberHash, type SqlRunner } from '../base/index.ts'
import { noRecordsHere, type Settings } from '../config/index.ts'
import type { DialogueStore, StandingDialogue } from '../dialogue/index.ts'
import type { ScreenTypes } from '../flow/language/index.ts'
import {
  dialoguesOf,
  keptDefinitions,
  type StoryReading,
  rowsOfDialogue,
  rowsOfSubscriber,
  type Story,
  type StoryDialogue,
  storyOf,
} from '../enquiry/index.ts'
import { rangeBack, type MomentsAsked } from './moments.ts'

/** Without a time: what happened within a day. */
const USUAL_MS = 86_400_000

export interface StoryTold extends Story {
  msisdn: string
  /** The hash by which the log of this daemon names the subscriber. */
  subscriber: string
  since: string
  until: string
  zone: string
  /** Why past dialogues are not among them. Absent: they are. */
  lacks?: string
}

/** One dialogue, and the deferred answer of it if there was one. */
export interface DialogueTold {
  /** A hash of it if the subscriber was erased. */
  msisdn: string
  /** As in the log; '' if the subscriber was erased. */
  subscriber: string
  zone: string
  dialogues: StoryDialogue[]
}

export interface StoriesDeps extends Pick<StoryReading, 'openTexts'> {
  types: ScreenTypes
  sql: SqlRunner
  dialogues: Pick<DialogueStore, 'standing'>
  groups(): string[]
  /** That of the log. */
  key: Buffer
  clock: { now(): number }
  settings: Pick<Settings, 'records'> & { reminders: { zone: string } }
}

/** Rejects if Postgres or the store is unreachable. */
export function subscriberStories(deps: StoriesDeps) {
  const { sql, dialogues, groups, key, clock, settings } = deps
  const { zone } = settings.reminders
  const reading = { openTexts: deps.openTexts, definitionOf: keptDefinitions(deps.types) }
  const lacks = noRecordsHere(settings)
  const standing = async (msisdn: string): Promise<StandingDialogue[]> => {
    const found = await Promise.all(groups().map((group) => dialogues.standing({ group, msisdn })))
    return found.filter((record) => record !== null)
  }
  return {
    /** Why past dialogues cannot be looked up. Undefined: they can. */
    noRecords: lacks,
    /**
     * One dialogue by its epoch. Of one that is open, or has ended a moment ago, the number must be known, because the
     * store has dialogues by number. Null: nothing is kept of it.
     */
    async dialogueStory(epoch: string, number: string | undefined): Promise<DialogueTold | null> {
      const all = number === undefined ? [] : await standing(number)
      const mine = all.filter((record) => record.epoch === epoch)
      const found = await rowsOfDialogue(sql, { epoch, open: mine.flatMap(({ revision }) => revision || []) })
      const msisdn = found.records[0]?.msisdn ?? mine[0]?.key.msisdn
      if (msisdn === undefined) return null
      const subscriber = /^\d+$/.test(msisdn) ? subscriberHash(key, msisdn) : ''
      return { msisdn, subscriber, zone, dialogues: dialoguesOf(found, mine, reading) }
    },
    subscriberHash: (msisdn: string) => subscriberHash(key, msisdn),
    async subscriberStory(msisdn: string, asked: MomentsAsked): Promise<StoryTold | { refused: string }> {
      const range = rangeBack(asked, { zone, nowMs: clock.now(), usualMs: USUAL_MS })
      if ('refused' in range) return range
      const { sinceMs, untilMs } = range
      const stored = await standing(msisdn)
      const open = stored.filter(
        ({ openedMs, touchedMs, ended }) => openedMs < untilMs && (!ended || touchedMs >= sinceMs),
      )
      const revisions = open.flatMap(({ revision }) => revision || [])
      const found = await rowsOfSubscriber(sql, { msisdn, sinceMs, untilMs, open: revisions })
      return {
        msisdn,
        subscriber: subscriberHash(key, msisdn),
        since: new Date(sinceMs).toISOString(),
        until: new Date(untilMs).toISOString(),
        zone,
        ...(lacks === undefined ? {} : { lacks }),
        ...storyOf(found, open, reading),
      }
    },
  }
}
