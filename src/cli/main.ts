#!/usr/bin/env node
/** The command line. Each command loads only what it needs; what goes wrong is one sentence, not a stack. */
import { Command } from 'commander'
import { adminOptions, parseInteger, smsc } from './arguments.ts'
import { flowCommands } from './flow-commands.ts'
import { smsCommands } from './sms.ts'
import { saidOf, packageVersion } from '../base/index.ts'

const say = (text: string) => void process.stdout.write(`${text}\n`)
// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
const CONFIG = ['-c, --config <file>', 'settings file'] as const

const program = new Command('ussd-connector')
  .description('Serves USSD menus over SMPP and sends SMS reminders over the same bind.')
  .version(packageVersion())
  .showSuggestionAfterError()
  .showHelpAfterError('(ussd-connector help shows all commands)')

program
  .command('run')
  .description('the daemon: bind, serve, remind, until SIGTERM')
  .requiredOption(...CONFIG)
  .action(async ({ config }: { config: string }) => (await import('../daemon/index.ts')).runDaemon(config))

program
  .command('demo')
  .description('everything on this machine, nothing to install: daemon, simulator, sample services, web phone')
  .option('--http-port <port>', 'of the web phone', parseInteger, 8080)
  .option('--data <folder>', 'where the embedded stores keep their files', './data/demo')
  .action(async (options: { httpPort: number; data: string }) => (await import('./demo.ts')).demo(options))

program
  .command('config')
  .description('shows the settings in force and where each came from, secrets masked')
  .requiredOption(...CONFIG)
  .option('--schema', 'print the JSON Schema of the settings instead')
  .action(async ({ config, schema }: { config: string; schema?: boolean }) => {
    const { printSettings, settingsJsonSchema } = await import('../config/index.ts')
    if (schema) return say(JSON.stringify(settingsJsonSchema(), null, 2))
    say(printSettings((await import('../config/index.ts')).loadSettings(config, process.env)))
  })

flowCommands(program, say)

const contract = program.command('contract').description('what applications over HTTP speak')
contract
  .command('list')
  .description('the contracts that come along')
  .option('--dir <folder>', 'profiles of your own')
  .action(async ({ dir }: { dir?: string }) => (await import('./contracts.ts')).listContracts(dir, say))
contract
  .command('test')
  .description('without --url: our side against its kit; with it: a dialogue with an application')
  .argument('<name>', 'a contract')
  .option('--url <url>', 'where the application listens')
  .option('--code <code>', 'what to dial', '*384#')
  .option('--msisdn <number>', 'who dials', '67570000001')
  .option('--answers <list>', 'answers, separated by commas', '')
  .option('--dir <folder>', 'profiles of your own')
  .action(async (name: string, options: import('./contracts.ts').TestOptions) =>
    (await import('./contracts.ts')).testContract(name, options, say),
  )

program
  .command('migrate')
  .description('brings the database to the schema of this version')
  .requiredOption(...CONFIG)
  .option('--status', 'only say what is done and what is to do')
  .action(async ({ config, status }: { config: string; status?: boolean }) =>
    (await import('./database.ts')).migrateCommand(config, Boolean(status), say),
  )

program
  .command('seed')
  .description('loads the data of a sample service: dental')
  .argument('<service>', 'dental')
  .requiredOption(...CONFIG)
  .option(
    '--at <date>',
    'the day that the data are laid around (2025-05-01 gives the documented screens); default: today',
  )
  .action(async (service: string, { config, at }: { config: string; at?: string }) =>
    (await import('./database.ts')).seedCommand({ service, config, at }, say),
  )

const subscriber = program.command('subscriber').description('what is kept of one subscriber: shown, or removed')
subscriber
  .command('export')
  .description('everything, as JSON')
  .requiredOption(...CONFIG)
  .requiredOption('--msisdn <number>', 'whose')
  .action(async (options: import('./privacy.ts').SubscriberOptions) =>
    (await import('./privacy.ts')).exportCommand(options, say),
  )
subscriber
  .command('erase')
  .description('removes it from the dialogue store and the database, and says what it was')
  .requiredOption(...CONFIG)
  .requiredOption('--msisdn <number>', 'whose')
  .option('--keep-opt-out', 'keep the number where it says that no SMS is wanted')
  .action(async (options: import('./privacy.ts').SubscriberOptions) =>
    (await import('./privacy.ts')).eraseCommand(options, say),
  )

program
  .command('simulate')
  .description('an SMSC to bind to, with a web phone and a terminal phone')
  .option('--host <host>', 'SMPP address', '127.0.0.1')
  .option('--port <port>', 'SMPP port', parseInteger, 2775)
  .option('--http-host <host>', 'address of the web phone', '127.0.0.1')
  .option('--http-port <port>', 'port of the web phone', parseInteger, 8080)
  .option(
    '--http-token-file <file>',
    'what the web phone asks for; default: nothing on loopback, else a token that is made and printed',
  )
  .option('--dialect <name>', 'profile to speak, from the other end', 'standard')
  .option('--system-id <id>', 'the only system id let in; default: any')
  .option('--password <password>', 'its password; default: any')
  .option('--binds-max <n>', 'binds of one system id at once', parseInteger)
  .action(async (options: import('./simulate.ts').SimulateCommandOptions) =>
    (await import('./simulate.ts')).simulateCommand(options, say),
  )

program
  .command('dial')
  .description('a phone in the terminal, at a running simulator')
  .argument('<code>', "what to dial, quoted: '*123#'")
  .option('--msisdn <number>', 'who dials', '67570000001')
  .option('--url <url>', 'of the simulator', 'http://127.0.0.1:8080')
  .option('--token-file <file>', 'of a simulator that is not on loopback')
  .option('--answers <list>', 'answers, separated by commas; then no questions are asked')
  .option('--record <file>', 'at the demo: write what was played as a talk, or add it to the talks of that file')
  .action(async (code: string, options: import('./simulate.ts').DialCommandOptions) =>
    (await import('./simulate.ts')).dialCommand(code, options, say),
  )

const dialect = program
  .command('dialect')
  .description('profiles of operators: infer one from a recording, list, show, try')
dialect
  .command('infer')
  .description('the profile that a recording of an SMSC speaks of, as YAML with how sure each field is')
  .argument('<file>', 'pcap, pcapng (gzipped or not), or a log of PDUs in hex')
  .option('--name <name>', 'of the profile; default: of the file')
  .action(async (file: string, options: { name?: string }) =>
    (await import('./dialect.ts')).inferCommand(file, options, say),
  )
dialect
  .command('list')
  .description('the profiles that are shipped')
  .action(async () => (await import('./dialect.ts')).listDialects(say))
dialect
  .command('show')
  .description('one profile')
  .argument('<profile>', 'name or file')
  .option('--full', 'with all that it takes from the profiles it extends')
  .action(async (name: string, options: { full?: boolean }) =>
    (await import('./dialect.ts')).showCommand(name, options, say),
  )

dialect
  .command('test')
  .description('plays a profile against the simulator and shows every PDU')
  .argument('<profile>', 'name or file')
  .option('--record <file>', 'write the PDUs there in hex, for infer')
  .action(async (name: string, options: { record?: string }) =>
    (await import('./dialect-test.ts')).testCommand(name, options, say),
  )

smsc(program.command('probe'))
  .description('binds to an SMSC of an unknown dialect, shows what comes, ends each call, says which profile it is')
  .option(
    '--bind <type>',
    'transceiver, or pair: a transmitter and a receiver; default: as the settings say, else transceiver',
  )
  .option('--seconds <n>', 'how long to listen at most', parseInteger, 300)
  .option('--calls <n>', 'calls after which it is enough', parseInteger, 2)
  .option('--ask', 'from the second call on, ask a question first, to see an answer')
  .action(async (options: import('./probe.ts').ProbeOptions) => {
    const { untilSignal } = await import('./simulate.ts')
    await (await import('./probe.ts')).probeCommand(options, say, untilSignal())
  })

smsc(program.command('doctor'))
  .description('examines the link to an SMSC: binds, SMS, receipts, rates, USSD; a sheet for both sides to sign')
  .option(
    '--msisdn <number>',
    'of a test handset, the only number that anything is sent to; absent: connection and binds only',
  )
  .option('--source <address>', 'sender of the SMS')
  .option('--code <code>', "wait for a call: '*123#', to be dialled on the handset")
  .option('--push', 'show a text and a question on the handset by USSD')
  .option('--dialect <profile>', 'how USSD is written there; default: what the call shows, else standard')
  .option('--window <n>', 'SMS sent at once, to see how many it takes; 0: none', parseInteger, 10)
  .option('--rate-sms <n>', 'SMS to spend on finding the rate at most; 0: none', parseInteger, 0)
  .option('--wrong-password', 'try once with a wrong password: may lock the account')
  .option('--dead-peer <seconds>', 'play dead that long, to see when it lets go; 0: not', parseInteger, 0)
  .option('--wait <seconds>', 'for a person at the handset', parseInteger, 60)
  .option('--receipts <seconds>', 'to wait for receipts', parseInteger, 60)
  .option('--yes', 'send the SMS without asking')
  .option('--operator <name>', 'to stand on the sheet')
  .option('--html <file>', 'write the sheet for paper')
  .option('--json', 'print the sheet as JSON instead of text')
  .option('--show-numbers', 'do not mask the number of the test handset')
  .action(async (options: import('./doctor.ts').DoctorOptions) => {
    const { counts } = await (await import('./doctor.ts')).doctorCommand(options, say)
    process.exitCode = counts.fail > 0 ? 1 : 0
  })

program
  .command('wallet')
  .description('the sample HTTP back end of the top-up flow')
  .option('--host <host>', 'address', '127.0.0.1')
  .option('--port <port>', 'port', parseInteger, 8675)
  .action(async (options: { host: string; port: number }) =>
    (await import('./simulate.ts')).walletCommand(options, say),
  )

adminOptions(program.command('dialogues'))
  .description('the dialogues of one subscriber in a running daemon: states, no texts')
  .requiredOption('--msisdn <number>', 'whose')
  .option('--end', 'end those that are open, with a text')
  .action(async (options: { url: string; tokenFile?: string; msisdn: string; end?: boolean }) =>
    (await import('./admin.ts')).dialoguesCommand(options, say),
  )

adminOptions(program.command('push'))
  .description('shows a screen or a text to a subscriber who has not dialled')
  .requiredOption('--msisdn <number>', 'to whom')
  .option('--flow <name>', 'the flow whose first screen is shown; answers go on in it')
  .option('--text <text>', 'or a text that wants no answer')
  .option('--line <name>', 'on which line; default: the first that is bound')
  .option('--language <code>', 'of the flow')
  .option('--sms <text>', 'sent as an SMS if it cannot be shown')
  .action(async (options: import('./admin.ts').PushOptions) => (await import('./admin.ts')).pushCommand(options, say))

smsCommands(program, say)

adminOptions(program.command('trace'))
  .description('what passed on a line of a running daemon lately, as a capture for Wireshark; masked')
  .argument('<line>', 'its name in the settings')
  .option('--out <file>', 'the capture file')
  .option('--text', 'print it in words instead')
  .option('--last <n>', 'the last so many PDUs; default: all that is kept', parseInteger)
  .option('--msisdn <number>', 'only what concerns this subscriber')
  .option('--clear', 'with numbers and texts as they were: needs a token that may operate, and is written down')
  .action(async (line: string, options: import('./trace.ts').TraceOptions) =>
    (await import('./trace.ts')).traceCommand(line, options, say),
  )

adminOptions(program.command('lines'))
  .description('the lines of a running daemon and their binds; or changes them')
  .option(
    '--reload',
    'read the settings file again: lines that are new, changed or gone become so, the others do not notice',
  )
  .option('--stop <name>', 'unbind a line, until it is started or the daemon is')
  .option('--start <name>', 'bind it again')
  .action(async (options: { url: string; tokenFile?: string; reload?: boolean; stop?: string; start?: string }) =>
    (await import('./admin.ts')).linesCommand(options, say),
  )

program
  .command('token')
  .description('a new token for the admin door, and the line that lets it in')
  .argument('<role>', 'read or operate')
  .action(async (role: string) => (await import('./admin.ts')).tokenCommand(role, say))

program
  .command('store-key')
  .description('makes the file of keys that dialogues are encrypted with (privacy.storeKeyFile)')
  .argument('<file>', 'where')
  .option('--rotate', 'put a new key before those that are in it')
  .action(async (file: string, options: { rotate?: boolean }) =>
    (await import('./store-key.ts')).storeKeyCommand(file, options, say),
  )

program
  .command('health')
  .description('asks a running daemon whether it is ready; exit code 0 or 1')
  .option('--host <host>', 'its admin address', '127.0.0.1')
  .option('--port <port>', 'its admin port', parseInteger, 8123)
  .option('--token-file <file>', 'file with a token of admin.tokensFile: then it says what is not ready')
  .action(async (options: import('./admin.ts').HealthOptions) => {
    process.exitCode = (await (await import('./admin.ts')).healthCommand(options, say)) ? 0 : 1
  })

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${saidOf(error)}\n`)
  process.exitCode = 1
})
