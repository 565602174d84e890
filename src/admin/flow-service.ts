/** The functions behind the admin routes for flows: the state, and decisions for all daemons and over restarts. */
import { randomBytes } from 'node:crypto'
import { ProblemsError, sentence, type Problem, inPieces } from '../base/index.ts'
import { compilingFlow, asksSecret, secretInClear } from '../flow/load/index.ts'
import { type DeclaredBackend, readingFlow, withBackends, type FlowSource } from '../flow/read/index.ts'
import {
  portable,
  type Flows,
  isDecision,
  publishing,
  trying,
  type Decided,
  type Decision,
  type DecisionTold,
  type Release,
} from '../flow/release/index.ts'
import type { ScreenTypes } from '../flow/language/index.ts'
import type { CompiledFlow, FlowArchive } from '../flow/engine/index.ts'
import { fits, USSD_PAGE, type Clock } from '../ussd/index.ts'
import type { FlowEventRow, FlowEvents } from '../watch/index.ts'
import { flowFunnels, type FunnelsDeps } from './flow-funnels.ts'

/** What new dials get. `share` in per cent. */
export interface FlowStand {
  revision: string
  canary: { revision: string; share: number } | null
}

export interface FlowRow extends FlowStand {
  name: string
  /** The revision of the daemon's file. Null: the file was never valid. */
  file: string | null
  /** Recalled revisions: their dialogues end at the next turn. */
  recalled: string[]
  /**
   * The recalled revision in place of which `revision` serves. If both are the same: every dial gets the text of the
   * recall.
   */
  replaced: string | null
  /** The last decision beyond the files. Null: there is none. */
  decided: { by: string; note: string; atMs: number } | null
  /** What is wrong with the current file: `where: what (remedy)`. */
  problems: string[]
}

export interface RevisionRow {
  revision: string
  by: string
  note: string
  createdMs: number
  /** When it last came into force. Null: never for everybody. */
  servedMs: number | null
  is: 'active' | 'canary' | 'recalled' | ''
  /** How many dialogues used it when they were counted last. Null: they have not been counted yet. */
  open: number | null
}

/** Without a count of dialogues. */
export type KeptRevision = Omit<RevisionRow, 'open'>

export interface RevisionRows {
  revisions: RevisionRow[]
  /** False: there are too many dialogues, so only some were counted, or none yet. */
  counted: boolean
  /** How long ago. Null: not yet. */
  countedAgeMs: number | null
}

/** Dialogues by the revision of their flow, as they were counted last. */
export interface OpenCount {
  open: ReadonlyMap<string, number>
  isWhole: boolean
  ageMs: number
}

/** With the answer to a recall: its dialogues, as they were counted last. Null: not yet. */
export interface OpenTold {
  open: number | null
  openAgeMs: number | null
}

/** Who decides, and why. */
export interface By {
  by: string
  note: string
}

/** What is decided about which revision, as the history keeps it. Without one: that on trial. */
type What = Pick<DecisionTold, 'did'> & { revision?: string }

export interface Refused {
  refused: 404 | 409 | 422
  error: string
  /** `prices.yaml:12:7: …` */
  problems?: string[]
}

export type FlowChange = { before: FlowStand | null; after: FlowStand } | Refused

export interface FlowServiceDeps extends Pick<FunnelsDeps, 'sql' | 'settings'> {
  flows: Flows
  decided: Decided
  archive: FlowArchive
  /** Undefined: nobody has counted yet. Nothing is read for it. */
  openCount(): OpenCount | undefined
  /** Names of the back ends that flows may call. */
  backends: readonly string[]
  /** Those that say themselves what they can be asked. */
  declared?: readonly DeclaredBackend[]
  types?: ScreenTypes
  /** The store holds keys in clear text, so no flow may ask for a secret. */
  readable: boolean
  clock: Clock
  /** The history of decisions, and of files that daemons took. */
  events: Pick<FlowEvents, 'of'>
  /** The name of this daemon. */
  name: string
}

/** The prefix of built-in flows: nobody decides about them. An application cannot have such a name. */
const OWN = 'app:_'
/** How many revisions of one flow are listed. */
const LISTED_MAX = 50
/** Dialogues to read for the count by revision: some seconds. */
export const CENSUS_MAX = 50_000
const PERCENT = 100

export type FlowService = ReturnType<typeof createFlowService>

export function createFlowService(deps: FlowServiceDeps) {
  const releases = createReleases(deps)
  return {
    ...readingFlows(deps, releases),
    ...flowFunnels(deps, releases.stateOf),
    ...publishingFlows(deps, releases),
    ...recallingFlows(deps, releases),
  }
}

type Releases = ReturnType<typeof createReleases>

/** What the decisions share: the state of a flow, a revision that can be served, and a change under its lock. */
function createReleases(deps: FlowServiceDeps) {
  const { flows, decided, archive } = deps
  const stateOf = (name: string) => flows.state().find((state) => state.name === name)

  /** Decides under the lock of this flow. This daemon follows at once, the others at their next look. */
  async function change(
    name: string,
    { by, note, ...what }: By & What,
    decide: Parameters<typeof decided.change<Refused>>[1],
  ): Promise<FlowChange> {
    const before = standOf(stateOf(name))
    const made = await decided.change<Refused>(name, (now, recalled) => {
      const made = decide(now, recalled)
      if (!isDecision(made)) return made
      const revision = what.revision ?? now.canary?.revision ?? ''
      const told = { did: what.did, revision, before: before?.revision ?? null, instance: deps.name }
      return { ...made, told, release: { ...made.release, by, note } }
    })
    if (!isDecision(made)) return made
    await flows.reload()
    return { before, after: standOf(stateOf(name)) ?? { revision: made.serves ?? '', canary: null } }
  }

  /** A revision of this flow that this version can serve. */
  async function known(name: string, revision: string): Promise<CompiledFlow | Refused> {
    const flow = revision.startsWith(`${name}@`) ? await flows.pinned(revision).catch(() => undefined) : undefined
    return (
      flow ?? {
        refused: 404,
        error: `there is no revision ${revision} of flow '${name}' (ussd-connector flow list ${name})`,
      }
    )
  }

  function serve(name: string, revision: string): (now: Release) => Decision {
    const file = stateOf(name)?.file ?? undefined
    return (now) => ({ release: publishing(now, revision, file), serves: revision, clears: revision })
  }

  async function stored(name: string, files: FlowSource, how: By): Promise<CompiledFlow | Refused> {
    const source = portable(withBackends(files, deps.declared ?? []))
    const flow = await proven(source, deps)
    if ('refused' in flow) return flow
    if (flow.name !== name) return { refused: 422, error: `the file has flow '${flow.name}', not '${name}'` }
    await archive.put(flow.revision, name, JSON.stringify(source), { serves: false, ...how })
    return flow
  }

  const tried =
    (name: string, revision: string, share: number) =>
    (now: Release, recalled: ReadonlySet<string>): Decision | Refused => {
      if (recalled.has(revision))
        return { refused: 409, error: `${revision} was recalled: flow publish ${revision} undoes the recall` }
      if (stateOf(name)?.revision === revision)
        return { refused: 409, error: `${revision} serves all subscribers already` }
      return { release: trying(now, revision, Math.round(share * PERCENT), () => randomBytes(16).toString('hex')) }
    }

  return { stateOf, change, known, serve, stored, tried }
}

/** Reads the current state. */
function readingFlows({ flows, decided, archive, openCount, events }: FlowServiceDeps, { stateOf }: Releases) {
  return {
    flows: (): FlowRow[] =>
      flows
        .state()
        .filter(({ name }) => !name.startsWith(OWN))
        .map(({ release, problems, ...state }) => ({
          name: state.name,
          file: state.file,
          recalled: state.recalled,
          replaced: state.replaced,
          ...standOf(state)!,
          problems: problems.map((problem) => sentence(problem).trim()),
          decided: release?.by ? { by: release.by, note: release.note, atMs: release.changedMs } : null,
        })),

    /** Newest first. Null: there is no such flow. */
    async revisions(name: string): Promise<RevisionRows | null> {
      const state = stateOf(name)
      const [rows, { recalls }] = await Promise.all([decided.revisions(name, LISTED_MAX), decided.read()])
      if (!state && !rows.length) return null
      const census = openCount()
      const revisions = rows.map((row) => ({
        ...row,
        is: isWhat(row.revision, state, recalls),
        open: census ? (census.open.get(row.revision) ?? 0) : null,
      }))
      return { revisions, counted: census?.isWhole ?? false, countedAgeMs: census?.ageMs ?? null }
    },

    /** Newest first: one statement. */
    async kept(name: string): Promise<KeptRevision[]> {
      const state = stateOf(name)
      const recalled = new Set(state?.recalled)
      return (await decided.revisions(name, LISTED_MAX)).map((row) => ({
        ...row,
        is: isWhat(row.revision, state, recalled),
      }))
    },

    /** Newest first, of all daemons. Null: there is no such flow, and nothing was ever decided about one. */
    async history(name: string, most: number): Promise<FlowEventRow[] | null> {
      const rows = await events.of(name, most)
      return rows.length > 0 || stateOf(name) ? rows : null
    },

    async source(name: string, revision: string): Promise<FlowSource | null> {
      const text = revision.startsWith(`${name}@`) ? await archive.get(revision) : undefined
      return text === undefined ? null : (JSON.parse(text) as FlowSource)
    },
  }
}

function isWhat(
  revision: string,
  state: FlowStand | undefined,
  recalled: { has(revision: string): boolean },
): RevisionRow['is'] {
  if (recalled.has(revision)) return 'recalled'
  if (state?.revision === revision) return 'active'
  return state?.canary?.revision === revision ? 'canary' : ''
}

/** Which revision serves new dials. */
function publishingFlows({ decided }: FlowServiceDeps, { stateOf, change, known, serve, stored, tried }: Releases) {
  return {
    /** Checks it, stores it, and serves it to everybody, or with `share` (per cent) to a trial. */
    async publish(
      name: string,
      what: { source: FlowSource } | { revision: string },
      { share, ...by }: By & { share?: number },
    ): Promise<FlowChange> {
      const flow = 'source' in what ? await stored(name, what.source, by) : await known(name, what.revision)
      if ('refused' in flow) return flow
      const { revision } = flow
      return share === undefined
        ? change(name, { ...by, did: 'publish', revision }, serve(name, revision))
        : change(name, { ...by, did: 'canary', revision }, tried(name, revision, share))
    },

    /** `asked` null: the revision that served before. */
    async rollBack(name: string, asked: string | null, by: By): Promise<FlowChange> {
      const inForce = stateOf(name)?.revision
      if (inForce === undefined)
        return { refused: 404, error: `there is no flow '${name}' (ussd-connector flow status)` }
      const { recalls } = await decided.read()
      const last = (await decided.revisions(name, LISTED_MAX)).find(
        (row) => row.servedMs !== null && row.revision !== inForce && !recalls.has(row.revision),
      )
      const revision = asked ?? last?.revision
      if (revision === undefined)
        return { refused: 404, error: `no revision of flow '${name}' served before ${inForce}` }
      if (revision === inForce) return { refused: 409, error: `${revision} is in force already` }
      const flow = await known(name, revision)
      return 'refused' in flow ? flow : change(name, { ...by, did: 'rollback', revision }, serve(name, revision))
    },

    /** `trial` null: the trial is over, and everybody gets what is in force. */
    async tryOut(name: string, trial: { revision: string; share: number } | null, by: By): Promise<FlowChange> {
      if (trial) {
        const { revision, share } = trial
        const flow = await known(name, revision)
        return 'refused' in flow ? flow : change(name, { ...by, did: 'canary', revision }, tried(name, revision, share))
      }
      return change(name, { ...by, did: 'canary-end' }, (now) =>
        now.canary ? { release: { ...now, canary: null } } : { refused: 409, error: `flow '${name}' has no trial` },
      )
    },
  }
}

function recallingFlows({ openCount }: FlowServiceDeps, { stateOf, change, known }: Releases) {
  return {
    /** Its dialogues end at their next turn with this text, by language. */
    async recall(
      name: string,
      revision: string,
      texts: Record<string, string>,
      by: By,
    ): Promise<FlowChange & Partial<OpenTold>> {
      const flow = await known(name, revision)
      if ('refused' in flow) return flow
      const strange = Object.keys(texts).find((language) => !flow.languages.includes(language))
      if (strange !== undefined)
        return { refused: 422, error: `${revision} has no texts in '${strange}', only in ${flow.languages.join(', ')}` }
      const long = Object.entries(texts).find(([, text]) => !fits(text, USSD_PAGE))
      if (long) return { refused: 422, error: `the text in '${long[0]}' is longer than a page` }
      const done = await change(name, { ...by, did: 'recall', revision }, (now, recalled) =>
        stateOf(name)?.revision === revision && !recalled.has(revision)
          ? { refused: 409, error: `${revision} is in force: roll back first (ussd-connector flow rollback ${name})` }
          : {
              release: now.canary?.revision === revision ? { ...now, canary: null } : now,
              recalls: { revision, texts },
            },
      )
      if ('refused' in done) return done
      const census = openCount()
      return { ...done, open: census ? (census.open.get(revision) ?? 0) : null, openAgeMs: census?.ageMs ?? null }
    },
  }
}

function standOf(state: FlowStand | undefined): FlowStand | null {
  if (!state) return null
  const { revision, canary } = state
  return { revision, canary: canary && { revision: canary.revision, share: canary.share / PERCENT } }
}

/** The flow, or everything that is wrong with it. Turns are played between two pieces of the check. */
async function proven(
  source: FlowSource,
  { backends, types, readable, clock }: FlowServiceDeps,
): Promise<CompiledFlow | Refused> {
  try {
    const pause = () => new Promise<void>((done) => clock.after(0, done))
    const compilation = await inPieces('flow-check', compilingFlow(source, backends, types), pause)
    // Loaded with the first flow to check: a starting daemon has more urgent work.
    const { examiningFlow } = await import('../flow/explore/index.ts')
    const read = await inPieces('flow-check', readingFlow(source, types), pause)
    const problems = await inPieces('flow-check', examiningFlow(compilation, read), pause)
    if (readable && asksSecret(compilation.definition)) return broken([secretInClear(source.file)])
    const errors = problems.filter(({ severity }) => severity === 'error')
    return errors.length ? broken(errors) : compilation.flow
  } catch (error) {
    if (error instanceof ProblemsError) return broken(error.problems)
    throw error
  }
}

function broken(problems: readonly Problem[]): Refused {
  return {
    refused: 422,
    error: 'the flow is broken: nothing was changed',
    problems: problems.map((problem) => sentence(problem).trim()),
  }
}
