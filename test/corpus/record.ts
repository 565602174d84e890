/**
 * Records what the flows of this version do with their talks: sources, stored snapshots, what each event led to.
 *
 *   node --import tsx test/corpus/record.ts           for the version in package.json; not over one that is there
 *   node --import tsx test/corpus/record.ts --again   before that version is released: records it anew
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFlow } from '../../src/flow/load/compile.ts'
import { flowNames, sourceOf } from '../../src/flow/read/loader.ts'
import { portable } from '../../src/flow/release/archiving.ts'
import { parseTalks } from '../../src/flow/talk/talk.ts'
import { playTalk } from '../../src/flow/talk/player.ts'
import type { CompiledFlow, FlowEvent, FlowInput, FlowSnapshot } from '../../src/flow/engine/types.ts'
import { packageVersion } from '../../src/base/package-root.ts'
import { root } from '../style/tree.ts'
import type { Recorded, RecordedStep } from './recorded.ts'

/** Steps of one flow: enough for each screen several times. */
const STEPS_MAX = 250

const flows = join(root, 'flows')
const folder = join(root, 'test/corpus', packageVersion())
if (existsSync(folder) && !process.argv.includes('--again')) throw new Error(`${folder} is there: what was released is not recorded anew (--again)`)
mkdirSync(folder, { recursive: true })
for (const name of await flowNames(flows)) {
  const source = portable(await sourceOf(flows, name))
  const { flow } = compileFlow(source)
  const steps = new Map<string, RecordedStep>()
  const talks = readdirSync(flows).filter((file) => file.endsWith('.talk'))
    .flatMap((file) => parseTalks(file, readFileSync(join(flows, file), 'utf8')).map((talk) => ({ ...talk, flow: talk.flow || file.split('.')[0]! })))
    .filter((talk) => talk.flow === name)
  for (const talk of talks) await playTalk(talk, recording(flow, steps))
  const recorded: Recorded = { revision: flow.revision, source, steps: [...steps.values()].slice(0, STEPS_MAX) }
  const lines = recorded.steps.map((step) => JSON.stringify(step)).join(',\n')
  const head = JSON.stringify({ revision: recorded.revision, source }).slice(0, -1)
  writeFileSync(join(folder, `${name}.json`), `${head},"steps":[\n${lines}\n]}\n`)
}

function recording(flow: CompiledFlow, steps: Map<string, RecordedStep>): CompiledFlow {
  const keep = (from: FlowInput | FlowSnapshot, event: FlowEvent | null, snapshot: FlowSnapshot): FlowSnapshot => {
    const step = JSON.parse(JSON.stringify({ from, event, want: flow.want(snapshot) })) as RecordedStep
    steps.set(JSON.stringify([from, event]), step)
    return snapshot
  }
  return {
    ...flow,
    begin: (input) => keep(input, null, flow.begin(input)),
    step: (snapshot, event) => keep(snapshot, event, flow.step(snapshot, event)),
  }
}
