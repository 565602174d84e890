/** `check`, `talk` and `flow …`: the commands of a flow's author and of whoever releases flows. */
import type { Command } from 'commander'
import { adminOptions, collected, percent } from './arguments.ts'

type AdminOptions = import('./admin.ts').AdminOptions
type DecideOptions = import('./releases.ts').DecideOptions

const PLUGIN = 'a file with a type of screen, as in flows.plugins; may stand several times'

export function flowCommands(program: Command, say: (text: string) => void): void {
  program
    .command('check')
    .description('checks flow files: schema, names, ways, lengths, languages')
    .argument('[paths...]', 'flow files or folders', ['./flows'])
    .option('--plugin <file>', PLUGIN, collected, [])
    .action(async (paths: string[], options: { plugin?: string[] }) =>
      (await import('./flows.ts')).check(paths, say, options),
    )

  program
    .command('talk')
    .description('plays written conversations against their flows; or writes one that is played by hand')
    .argument('[paths...]', 'talk files or folders; with --record: the flow file', ['./flows'])
    .option('--coverage', 'say what of each flow no talk has walked')
    .option(
      '--record <file>',
      'play the flow here, and write what is played as a talk, or add it to the talks of that file',
    )
    .option('--title <title>', 'with --record: of the talk; default: its keys')
    .option(
      '-c, --config <file>',
      'with --record: its back ends answer, and really do what they are asked; default: you answer for them',
    )
    .option('--code <code>', 'with --record: the service code; default: that of the settings, else *123#')
    .option('--dial <code>', 'with --record: what is dialled, if more than the service code')
    .option('--msisdn <number>', 'with --record: who dials', '67570000001')
    .option('--language <code>', 'with --record: of the subscriber')
    .option('--plugin <file>', PLUGIN, collected, [])
    .action(async (paths: string[], options: import('./flows.ts').TalkOptions) =>
      (await import('./flows.ts')).talk(paths, say, options),
    )

  const flow = program.command('flow').description('flows: files, and what a running daemon serves of them')
  flow
    .command('schema')
    .description('the JSON Schema of flow files, for an editor')
    .option('--catalogue', 'that of catalogues of translations instead')
    .option('--part', 'that of parts instead')
    .option('--plugin <file>', PLUGIN, collected, [])
    .action(async (of: { catalogue?: boolean; part?: boolean; plugin?: string[] }) =>
      (await import('./flows.ts')).schema(of, say),
    )
  flow
    .command('paths')
    .description('talks that take every transition of a flow: both sides of branches, keys, refusals, checks')
    .argument('<flow>', 'flow file')
    .option('--plugin <file>', PLUGIN, collected, [])
    .action(async (path: string, options: { plugin?: string[] }) =>
      (await import('./flows.ts')).paths(path, options, say),
    )
  const imports = (command: Command) =>
    command
      .description('makes a flow of a journey of ussd-engine, and says what is not as it was')
      .argument('<journey>', 'YAML file')
      .option('--out <folder>', 'where the flow is written', './flows')
      .option('--name <name>', 'of the flow; default: that of the file')
      .option('--backend <name>', 'what its requests and functions become operations of; default: the name of the flow')
      .option('--force', 'overwrite the flow that is there')
      .action(async (path: string, options: import('./import.ts').ImportOptions) =>
        (await import('./import.ts')).importFlow(path, options, say),
      )
  const draws = (command: Command) =>
    command
      .description('the flow as Mermaid text, or as pictures of all its pages')
      .argument('<flow>', 'flow file')
      .option('--html <file>', 'write a storyboard: every page in every language, and where each key leads')
      .option('--svg <file>', 'write a picture of the statechart')
      .option('--xstate <file>', 'write it as the JSON of an XState machine')
      .option('--plugin <file>', PLUGIN, collected, [])
      .action(async (path: string, options: import('./flows.ts').DrawOptions) =>
        (await import('./flows.ts')).draw(path, options, say),
      )
  // Where others look for them first.
  for (const to of [flow, program]) {
    const hidden = { hidden: to === program }
    imports(to.command('import', hidden))
    draws(to.command('draw', hidden))
  }

  const decide = (command: Command) => adminOptions(command).option('--note <text>', 'why: kept with the decision', '')

  adminOptions(flow.command('status'))
    .description('what a running daemon serves: revisions in force, trials, files that are broken')
    .action(async (options: AdminOptions) => (await import('./releases.ts')).statusCommand(options, say))
  adminOptions(flow.command('list'))
    .description('the revisions of a flow, and how many dialogues are on each')
    .argument('<name>', 'of the flow')
    .action(async (name: string, options: AdminOptions) =>
      (await import('./releases.ts')).listRevisions(name, options, say),
    )
  adminOptions(flow.command('diff'))
    .description('what a subscriber would see changed, screen by screen, and the changed lines')
    .argument('<from>', 'revision or flow file')
    .argument('<to>', 'revision or flow file')
    .option('--plugin <file>', PLUGIN, collected, [])
    .action(async (from: string, to: string, options: AdminOptions & { plugin?: string[] }) =>
      (await import('./releases.ts')).diffCommand(from, to, options, say),
    )
  decide(flow.command('publish'))
    .description('proves a flow and lets it serve new dials, in all daemons')
    .argument('<flow>', 'flow file, or a revision that is stored')
    .option('--share <percent>', 'only to so many subscribers, e.g. 10%: a trial', percent)
    .action(async (what: string, options: DecideOptions & { share?: number }) =>
      (await import('./releases.ts')).publishCommand(what, options, say),
    )
  decide(flow.command('rollback'))
    .description('new dials get an older revision again')
    .argument('<flow>', 'revision, or the name of a flow: then what served before')
    .action(async (what: string, options: DecideOptions) =>
      (await import('./releases.ts')).rollbackCommand(what, options, say),
    )
  decide(flow.command('canary'))
    .description('a trial: so many subscribers get this revision, the same ones while the share grows')
    .argument('<flow>', 'revision, or the name of a flow with --end')
    .option('--share <percent>', 'of subscribers, e.g. 10%', percent)
    .option('--end', 'the trial is over: everybody gets what is in force')
    .action(async (what: string, options: DecideOptions & { share?: number; end?: boolean }) =>
      (await import('./releases.ts')).canaryCommand(what, options, say),
    )
  decide(flow.command('recall'))
    .description('ends the dialogues of a revision at their next turn')
    .argument('<revision>', 'not the one in force: roll back first')
    .option(
      '--text <text>',
      "what they read; or language=text, once for each language; default: the flow's own busy text",
      collected,
      [],
    )
    .action(async (revision: string, options: DecideOptions & { text: string[] }) =>
      (await import('./releases.ts')).recallCommand(revision, options, say),
    )
}
