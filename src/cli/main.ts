#!/usr/bin/env node
/** The command line. Each command loads only what it needs. An error is one sentence, not a stack. */
import './node-floor.ts'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import type { Say } from './arguments.ts'

type Register = (program: Command, say: Say) => void

/** Every command, in the order of the help. Its file declares its name, options and help, and runs it. */
const COMMANDS: Record<string, () => Promise<Register>> = {
  log: async () => (await import('./commands/log.ts')).registerLog,
  reload: async () => (await import('./commands/reload.ts')).registerReload,
  run: async () => (await import('./commands/run.ts')).registerRun,
  demo: async () => (await import('./commands/demo.ts')).registerDemo,
  dev: async () => (await import('./commands/dev.ts')).registerDev,
  config: async () => (await import('./commands/config.ts')).registerConfig,
  check: async () => (await import('./commands/check.ts')).registerCheck,
  talk: async () => (await import('./commands/talk.ts')).registerTalk,
  flow: async () => (await import('./commands/flow.ts')).registerFlow,
  import: async () => (await import('./commands/import.ts')).registerImport,
  draw: async () => (await import('./commands/draw.ts')).registerDraw,
  contract: async () => (await import('./commands/contract.ts')).registerContract,
  migrate: async () => (await import('./commands/migrate.ts')).registerMigrate,
  seed: async () => (await import('./commands/seed.ts')).registerSeed,
  subscriber: async () => (await import('./commands/subscriber.ts')).registerSubscriber,
  simulate: async () => (await import('./commands/simulate.ts')).registerSimulate,
  load: async () => (await import('./commands/load.ts')).registerLoad,
  dial: async () => (await import('./commands/dial.ts')).registerDial,
  dialect: async () => (await import('./commands/dialect.ts')).registerDialect,
  probe: async () => (await import('./commands/probe.ts')).registerProbe,
  doctor: async () => (await import('./commands/doctor.ts')).registerDoctor,
  wallet: async () => (await import('./commands/wallet.ts')).registerWallet,
  dialogues: async () => (await import('./commands/dialogues.ts')).registerDialogues,
  push: async () => (await import('./commands/push.ts')).registerPush,
  sms: async () => (await import('./commands/sms.ts')).registerSms,
  trace: async () => (await import('./commands/trace.ts')).registerTrace,
  audit: async () => (await import('./commands/audit.ts')).registerAudit,
  status: async () => (await import('./commands/status.ts')).registerStatus,
  alarms: async () => (await import('./commands/alarms.ts')).registerAlarms,
  'test-dial': async () => (await import('./commands/test-dial.ts')).registerTestDial,
  lines: async () => (await import('./commands/lines.ts')).registerLines,
  token: async () => (await import('./commands/token.ts')).registerToken,
  'store-key': async () => (await import('./commands/store-key.ts')).registerStoreKey,
  completion: async () => (await import('./commands/completion.ts')).registerCompletion,
  health: async () => (await import('./commands/health.ts')).registerHealth,
}

/** A reader that closes early (`| head`) is not an error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const program = new Command('ussd-connector')
  .description('Serves USSD menus over SMPP and sends SMS reminders over the same bind.')
  .exitOverride()
  .showSuggestionAfterError()
  .showHelpAfterError('(ussd-connector help lists all commands)')

/** Loaded only when needed: `health`, which monitoring runs every few seconds, does not need it. */
const base = () => import('../base/index.ts')

async function main(): Promise<void> {
  const say: Say = (text) => void process.stdout.write(`${text}\n`)
  const [, , word = '', ...more] = process.argv
  const asksVersion = [word, ...more].some((one) => one === '--version' || one === '-V')
  if (asksVersion || !Object.hasOwn(COMMANDS, word)) program.version((await base()).packageVersion())
  for (const load of wantedOf(word)) (await load())(program, say)
  await program.parseAsync()
}

/** Loads only the requested command; all of them for the help or for an unknown word. */
function wantedOf(word: string): (() => Promise<Register>)[] {
  if (word === '--version' || word === '-V') return []
  if (word === 'completion') return Object.values(COMMANDS)
  return Object.hasOwn(COMMANDS, word) ? [COMMANDS[word]!] : Object.values(COMMANDS)
}

/** The command line was wrong. 1: it was right, and what it asked for failed. */
const MISUSED = 2

main().catch(async (error: unknown) => {
  // The reader of the command line has told this one already.
  if (error instanceof CommanderError && !(error instanceof InvalidArgumentError))
    return void (process.exitCode = error.exitCode === 0 ? 0 : MISUSED)
  const isMisuse = error instanceof InvalidArgumentError
  process.exitCode = isMisuse ? MISUSED : 1
  process.stderr.write(`${isMisuse ? `error: ${error.message}` : (await base()).saidOf(error)}\n`)
})
