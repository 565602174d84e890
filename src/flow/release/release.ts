/**
 * The decisions of operators about a flow, beyond its files: what serves in their place, what is on trial (the canary),
 * what was recalled. Decisions are values; the port at the end says how they are stored.
 */
import { createHmac } from 'node:crypto'

/** `files`: an edited file is published at once. `released`: only `flow publish` publishes. */
export type PublishMode = 'files' | 'released'

/** The decisions about one flow. Survives JSON. */
export interface Release {
  name: string
  /** The revision that serves; null: what the file says. */
  active: string | null
  /**
   * In mode `files`, the decision holds only while the file is this revision. An edit of the file is a newer decision.
   */
  insteadOf: string | null
  canary: Canary | null
  by: string
  note: string
  changedMs: number
}

/** A revision that some subscribers get in place of the one in force. */
export interface Canary {
  revision: string
  /** Hundredths of a per cent, 0 … 10,000. */
  share: number
  /** The key of the hash that chooses. While it stays, a subscriber stays in, or out until the share reaches them. */
  key: string
}

/** A revision whose dialogues end at their next turn, with these texts by language. */
export interface Recall {
  revision: string
  name: string
  texts: Record<string, string>
}

const SHARE_MAX = 10_000

export function undecided(name: string): Release {
  return { name, active: null, insteadOf: null, canary: null, by: '', note: '', changedMs: 0 }
}

/** The revision that serves if the file is `file` (undefined: there is no file that was ever valid). */
export function inForce(release: Release | undefined, file: string | undefined, mode: PublishMode): string | undefined {
  if (!release?.active) return file
  if (mode === 'released' || file === undefined || release.insteadOf === file) return release.active
  return file
}

/** Whether this subscriber is in the trial. Pure, the same in every daemon. */
export function isInCanary({ key, share }: Canary, msisdn: string): boolean {
  if (share <= 0) return false
  const place = createHmac('sha256', key).update(msisdn).digest().readUInt32BE(0) % SHARE_MAX
  return place < share
}

/** `revision` serves everybody from now on; this ends a trial. */
export function publishing(now: Release, revision: string, file: string | undefined): Release {
  return { ...now, active: revision, insteadOf: file ?? null, canary: null }
}

/** The same revision keeps its key, so that its subscribers stay in while the share grows. */
export function trying(now: Release, revision: string, share: number, newKey: () => string): Release {
  const key = now.canary?.revision === revision ? now.canary.key : newKey()
  return { ...now, canary: { revision, share, key } }
}

/** All decisions, for all flows. */
export interface Decisions {
  releases: ReadonlyMap<string, Release>
  recalls: ReadonlyMap<string, Recall>
}

export const NOTHING_DECIDED: Decisions = { releases: new Map(), recalls: new Map() }

/** How a daemon reads the decisions, again and again. */
export interface DecisionsRead {
  read(): Promise<Decisions>
  /**
   * Revisions of the archive that may replace a recalled one, newest first: those that served everybody, by the time
   * when they last came into force; then those that were only stored for a trial.
   */
  unrecalled(name: string): Promise<string[]>
  /**
   * Called by the first daemon with a flow that has no decision: what it serves becomes the release. (Mode `released`.)
   */
  adopt(name: string, revision: string): Promise<void>
}

/** What the history keeps of a decision, beside who, when and why. */
export interface DecisionTold {
  did: 'publish' | 'rollback' | 'canary' | 'canary-end' | 'recall'
  revision: string
  /** What served before. */
  before: string | null
  /** The daemon that was asked. */
  instance: string
}

/** A change of the decisions about one flow. `recalls` and `clears` are revisions. */
export interface Decision {
  release: Release
  /** Written into the history in the same transaction. */
  told?: DecisionTold
  recalls?: { revision: string; texts: Record<string, string> }
  clears?: string
  /** This revision serves everybody from now on. */
  serves?: string
}

/** A stored revision. */
export interface StoredRevision {
  revision: string
  by: string
  note: string
  createdMs: number
  /** When it last came into force. Null: it never served everybody. */
  servedMs: number | null
}

/** The stored decisions: shared by all daemons, and kept over a restart. */
export interface Decided extends DecisionsRead {
  /**
   * One change at a time per flow. `decide` gets the current decisions and returns the new ones, or anything else to
   * change nothing. Returns what `decide` returned.
   */
  change<T>(name: string, decide: (now: Release, recalled: ReadonlySet<string>) => Decision | T): Promise<Decision | T>
  /** Newest first, at most `limit`. */
  revisions(name: string, limit: number): Promise<StoredRevision[]>
}

export function isDecision(it: unknown): it is Decision {
  return typeof it === 'object' && it !== null && 'release' in it
}
