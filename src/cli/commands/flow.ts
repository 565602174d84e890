/** `flow …`: for the author of a flow, and for the operator who releases flows. */
import { Option, type Command } from 'commander'
import { adminOptions, collected, jsonOption, parseInteger, percent, PLUGIN, type Say } from '../arguments.ts'
import { drawCommand } from './draw.ts'
import { importCommand } from './import.ts'

type AdminOptions = import('../admin.ts').AdminOptions
type DecideOptions = import('../flows/releases.ts').DecideOptions
type FunnelOptions = import('../flows/flow-funnel.ts').FunnelOptions
type HistoryOptions = import('../flows/flow-history.ts').HistoryOptions

export function registerFlow(program: Command, say: Say): void {
  const flow = program.command('flow').description('flow files, and the revisions that a running daemon serves')
  filesCommands(flow, say)
  importCommand(flow.command('import'), say)
  drawCommand(flow.command('draw'), say)
  servedCommands(flow, say)
  decisionCommands(flow, say)
}

/** Commands for files. */
function filesCommands(flow: Command, say: Say): void {
  flow
    .command('new')
    .description('writes a first flow with its talk and its back end, which check and talk accept; overwrites nothing')
    .argument('<name>', 'name of the flow, such as airtime')
    .option('--dir <folder>', 'folder of the flows', './flows')
    .action(async (name: string, options: import('../flows/flow-new.ts').NewFlowOptions) =>
      (await import('../flows/flow-new.ts')).newFlow(name, options, say),
    )
  flow
    .command('schema')
    .description('prints the JSON Schema of flow files, for an editor')
    .option('--catalogue', 'the schema of translation catalogues instead')
    .option('--part', 'the schema of parts instead')
    .option('--backend', 'the schema of what back ends say of their operations instead')
    .option(...PLUGIN)
    .action(async (of: { catalogue?: boolean; part?: boolean; backend?: boolean; plugin?: string[] }) =>
      (await import('../flows/flows.ts')).schema(of, say),
    )
  flow
    .command('paths')
    .description('writes talks that take every transition of a flow: both sides of branches, keys, refusals, checks')
    .argument('<flow>', 'flow file')
    .option(...PLUGIN)
    .action(async (path: string, options: { plugin?: string[] }) =>
      (await import('../flows/flows.ts')).paths(path, options, say),
    )
}

/** Commands for what a running daemon serves. */
function servedCommands(flow: Command, say: Say): void {
  jsonOption(adminOptions(flow.command('status')))
    .description('shows what a running daemon serves: revisions in force, trials, broken files')
    .action(async (options: AdminOptions) => (await import('../flows/releases.ts')).statusCommand(options, say))
  jsonOption(adminOptions(flow.command('list')))
    .description('lists the revisions of a flow, and how many dialogues use each')
    .argument('<name>', 'name of the flow')
    .action(async (name: string, options: AdminOptions) =>
      (await import('../flows/releases.ts')).listRevisions(name, options, say),
    )
  jsonOption(adminOptions(flow.command('history')))
    .description('shows who decided what about a flow, when and why, and which files daemons took, the newest first')
    .argument('<name>', 'name of the flow')
    .option('--last <n>', 'how many; default: 50', parseInteger)
    .action(async (name: string, options: HistoryOptions) =>
      (await import('../flows/flow-history.ts')).historyOfFlow(name, options, say),
    )
  jsonOption(adminOptions(flow.command('funnel')))
    .description(
      'shows how many dialogues reached each screen of a flow, where they ended and why, and what was chosen',
    )
    .argument('<name>', 'name of the flow')
    .option('--revision <revision>', 'only of this one; default: of all, side by side')
    .option('--compare <revision>', 'this one beside all others; default: the trial, if there is one')
    .option(
      '--since <moment>',
      'dialogues that ended from then on: 10:00, 2h, 7d, 2026-12-01T10:00; default: a day ago',
    )
    .option('--until <moment>', 'up to then; default: now')
    .action(async (name: string, options: FunnelOptions) =>
      (await import('../flows/flow-funnel.ts')).funnelOfFlow(name, options, say),
    )
  jsonOption(adminOptions(flow.command('diff')))
    .description('shows what changes for subscribers, screen by screen, and the changed lines')
    .argument('<from>', 'revision or flow file')
    .argument('<to>', 'revision or flow file')
    .option(...PLUGIN)
    .action(async (from: string, to: string, options: AdminOptions & { plugin?: string[] }) =>
      (await import('../flows/releases.ts')).diffCommand(from, to, options, say),
    )
}

/** Commands for decisions about releases. */
function decisionCommands(flow: Command, say: Say): void {
  const decide = (command: Command) =>
    jsonOption(adminOptions(command))
      .option('--reason <text>', 'why: kept with the decision, and shown by flow history', '')
      .addOption(new Option('--note <text>', 'the same, as it was called before').hideHelp())

  decide(flow.command('publish'))
    .description('proves a flow, then serves it to new dials, in all daemons')
    .argument('<flow>', 'flow file, or a stored revision')
    .option('--share <percent>', 'only to this share of subscribers, e.g. 10%: a trial', percent)
    .action(async (what: string, options: DecideOptions & { share?: number }) =>
      (await import('../flows/releases.ts')).publishCommand(what, options, say),
    )
  decide(flow.command('rollback'))
    .description('serves an older revision to new dials again')
    .argument('<flow>', 'a revision; or the name of a flow, for the revision that served before')
    .action(async (what: string, options: DecideOptions) =>
      (await import('../flows/releases.ts')).rollbackCommand(what, options, say),
    )
  decide(flow.command('canary'))
    .description(
      'a trial: this share of subscribers gets the revision; those who have it keep it while the share grows',
    )
    .argument('<flow>', 'a revision; or the name of a flow, with --end')
    .option('--share <percent>', 'of subscribers, e.g. 10%', percent)
    .option('--end', 'end the trial: everybody gets the revision in force')
    .action(async (what: string, options: DecideOptions & { share?: number; end?: boolean }) =>
      (await import('../flows/releases.ts')).canaryCommand(what, options, say),
    )
  decide(flow.command('recall'))
    .description('ends the dialogues of a revision at their next turn')
    .argument('<revision>', 'a revision that is not in force: roll back first')
    .option(
      '--text <text>',
      'the last text; or language=text, once for each language; default: the busy text of the flow',
      collected,
      [],
    )
    .action(async (revision: string, options: DecideOptions & { text: string[] }) =>
      (await import('../flows/releases.ts')).recallCommand(revision, options, say),
    )
}
