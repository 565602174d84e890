/**
 * What operators decided about a flow beyond its files: what serves instead of them, what is on trial (the canary),
 * what was recalled. Decisions are values; where they are kept is the port at the end.
 */
import { createHmac } from 'node:crypto'

/** `files`: an edited file is published by being there. `released`: only `flow publish` publishes. */
export type PublishMode = 'files' | 'released'

/** The decisions about one flow. Survives JSON. */
export interface Release {
  name: string
  /** The revision that serves; null: what the file says. */
  active: string | null
  /** In mode `files`: only where the file is this revision. An edit of the file is a newer decision. */
  insteadOf: string | null
  canary: Canary | null
  by: string
  note: string
  changedMs: number
}

/** A revision that some subscribers get instead of the one in force. */
export interface Canary {
  revision: string
  /** Hundredths of a per cent, 0 … 10,000. */
  share: number
  /** Of the hash that chooses: while it stays, a subscriber stays in, or out until the share reaches that far. */
  key: string
}

/** A revision whose dialogues end at their next turn, with these words by language. */
export interface Recall {
  revision: string
  name: string
  texts: Record<string, string>
}

const SHARE_MAX = 10_000

export function undecided(name: string): Release {
  return { name, active: null, insteadOf: null, canary: null, by: '', note: '', changedMs: 0 }
}

/** The revision that a daemon serves whose file is `file` (undefined: it has none that ever was good). */
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

/** `revision` serves everybody from now on: a trial is over with that. */
export function publishing(now: Release, revision: string, file: string | undefined): Release {
  return { ...now, active: revision, insteadOf: file ?? null, canary: null }
}

/** The same revision keeps its key, so that its subscribers stay in while the share grows. */
export function trying(now: Release, revision: string, share: number, newKey: () => string): Release {
  const key = now.canary?.revision === revision ? now.canary.key : newKey()
  return { ...now, canary: { revision, share, key } }
}

/** Everything decided, over all flows. */
export interface Decisions {
  releases: ReadonlyMap<string, Release>
  recalls: ReadonlyMap<string, Recall>
}

export const NOTHING_DECIDED: Decisions = { releases: new Map(), recalls: new Map() }

/** What a daemon reads of the decisions, again and again. */
export interface DecisionsRead {
  read(): Promise<Decisions>
  /**
   * Revisions of the archive that may serve in place of a recalled one, newest first: those that served everybody by
   * when they last came into force, then those that were only stored to be tried.
   */
  unrecalled(name: string): Promise<string[]>
  /** The first daemon that has a flow nobody has decided about: what it serves is its release. (Mode `released`.) */
  adopt(name: string, revision: string): Promise<void>
}

/** A change of the decisions about one flow; `recalls` and `clears` are revisions. */
export interface Decision {
  release: Release
  recalls?: { revision: string; texts: Record<string, string> }
  clears?: string
  /** Serves everybody from now on. */
  serves?: string
}

/** A revision as it is kept. */
export interface StoredRevision {
  revision: string
  by: string
  note: string
  createdMs: number
  /** When it last came into force; null: never for everybody. */
  servedMs: number | null
}

/** Where decisions are kept: shared by all daemons, and there after a restart. */
export interface Decided extends DecisionsRead {
  /**
   * One change at a time a flow: `decide` sees what stands and answers what shall, or anything else to change nothing.
   * Answers what `decide` did.
   */
  change<T>(name: string, decide: (now: Release, recalled: ReadonlySet<string>) => Decision | T): Promise<Decision | T>
  /** Newest first, at most `limit`. */
  revisions(name: string, limit: number): Promise<StoredRevision[]>
}

export function isDecision(it: unknown): it is Decision {
  return typeof it === 'object' && it !== null && 'release' in it
}
