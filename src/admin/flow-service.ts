/** What can be asked of the flows of a running daemon, and decided about them: the port behind the flow routes. */

interface Files {
  file: string
  text: string
  catalogues: { file: string; text: string }[]
}

/** All files of one flow, as text: its own, and the parts that it leads to. */
export interface FlowSources extends Files {
  parts?: Files[] | undefined
}

/** What new dials get. `share` in per cent. */
export interface FlowStand {
  revision: string
  canary: { revision: string; share: number } | null
}

export interface FlowRow extends FlowStand {
  name: string
  /** What the daemon's file is; null: it has none that ever was good. */
  file: string | null
  /** Revisions whose dialogues end at their next turn. */
  recalled: string[]
  /** The recalled revision that `revision` serves instead of; the same: every dial gets the text of the recall. */
  replaced: string | null
  /** The last decision beyond the files; null: there is none. */
  decided: { by: string; note: string; atMs: number } | null
  /** What is wrong with the file as it is now: `where: what (remedy)`. */
  problems: string[]
}

export interface RevisionRow {
  revision: string
  by: string
  note: string
  createdMs: number
  /** When it last came into force; null: never for everybody. */
  servedMs: number | null
  is: 'active' | 'canary' | 'recalled' | ''
  /** Dialogues that are on it now. */
  open: number
}

export interface RevisionRows {
  revisions: RevisionRow[]
  /** False: there are so many dialogues that only some were looked at. */
  counted: boolean
}

/** Who decides, and why. */
export interface By {
  by: string
  note: string
}

export interface Refused {
  refused: 404 | 409 | 422
  error: string
  /** `prices.yaml:12:7: …` */
  problems?: string[]
}

export type FlowChange = { before: FlowStand | null; after: FlowStand } | Refused

export interface FlowService {
  flows(): FlowRow[]
  /** Newest first. Null: there is no such flow. */
  revisions(name: string): Promise<RevisionRows | null>
  source(name: string, revision: string): Promise<FlowSources | null>
  /** Proves, stores, and lets it serve: everybody, or with `share` (per cent) those of a trial. */
  publish(
    name: string,
    what: { source: FlowSources } | { revision: string },
    how: By & { share?: number },
  ): Promise<FlowChange>
  /** Null: the one that served before. */
  rollBack(name: string, revision: string | null, by: By): Promise<FlowChange>
  /** Null: the trial is over, everybody gets what is in force. */
  tryOut(name: string, trial: { revision: string; share: number } | null, by: By): Promise<FlowChange>
  /** Its dialogues end at their next turn with these words, by language. */
  recall(name: string, revision: string, texts: Record<string, string>, by: By): Promise<FlowChange & { open?: number }>
}
