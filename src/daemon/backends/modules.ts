/**
 * Back ends that are modules: files of trusted code, loaded once, which get the daemon's functions without its
 * libraries.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  prepareSql,
  ProblemsError,
  UsageError,
  type Counters,
  type Log,
  type PreparedStatement,
  type Sql,
  type SqlRunner,
} from '../../base/index.ts'
import { hookOf, type Settings } from '../../config/index.ts'
import {
  Refusal,
  type BackendFactory,
  type BackendModule,
  type ModuleDatabase,
  type ModuleDeps,
  type ModuleSms,
  type PersonalTable,
  type SmsReplies,
  type SqlBindings,
  type SqlOptions,
  type SqlPort,
  type SubscriberData,
} from '../../plugin/index.ts'
import { pins, pinOptions } from '../../services/pin/index.ts'
import { CANCEL_SMS, planSms, smsBinding, type SmsModule, WRITE_SMS } from '../../sms/outbox/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import { sampleModule, sampleModules } from '../samples.ts'
import type { SmsSubject } from '../../sms/terms/index.ts'

export interface ModuleHost {
  settings: Pick<Settings, 'reminders' | 'dialogue' | 'smsHooks'>
  sql: Sql
  clock: Clock
  chance: Chance
  metrics: Counters
  log: Log
  /** For the module `pin`. */
  pinPepper?: Buffer | undefined
}

/** As the settings have it. */
export interface ConfiguredModule {
  module: string
  settings: Record<string, unknown>
}

/** The module of the back end with this name. Throws UsageError or ProblemsError with the place in the settings. */
export async function loadModule(name: string, how: ConfiguredModule, host: ModuleHost): Promise<BackendModule> {
  if (how.module === 'pin') {
    const { sql, clock, metrics, pinPepper: pepper } = host
    const settings = pinOptions(how.settings, `backends.${name}.settings`)
    return pins({ sql, clock, counters: metrics, settings, pepper })
  }
  const file = sampleModule(how.module) ?? resolve(how.module)
  const factory = await factoryOf(file).catch((error: Error) => {
    const remedy = `use ${[...sampleModules, 'pin'].join(' or ')}, or the path of a file`
    throw new UsageError(`backends.${name}.module: ${file} cannot be loaded: ${error.message} (${remedy})`)
  })
  if (typeof factory !== 'function')
    throw new UsageError(`backends.${name}.module: ${file} exports no function 'backend'`)
  return prepared(factory(refusingOldNames(moduleDeps(name, how.settings, host), name, file)))
}

/** Nobody calls it before its tables exist. */
function prepared(module: BackendModule): BackendModule {
  if (!module.prepare) return module
  let preparing: Promise<void> | undefined
  const ready = async () => {
    preparing ??= module.prepare!()
    await preparing.catch((error: unknown) => {
      preparing = undefined
      throw error
    })
  }
  const after =
    <Args extends unknown[], Answer>(run: (...args: Args) => Promise<Answer>) =>
    async (...args: Args) => {
      await ready()
      return run(...args)
    }
  const { operations, subscriber, purge, seed } = module
  return {
    ...module,
    operations: Object.fromEntries(Object.entries(operations).map(([name, run]) => [name, after(run)])),
    ...(subscriber ? { subscriber: { export: after(subscriber.export), erase: after(subscriber.erase) } } : {}),
    ...(purge ? { purge: after(purge) } : {}),
    ...(seed ? { seed: after(seed) } : {}),
  }
}

/**
 * Modules for an earlier release must be changed. We say so at the start, and not with a busy text to the first
 * subscriber.
 */
const GONE: Readonly<Record<string, string>> = {
  knex: '`sql` and `transaction`',
  metrics: '`counters`',
}

function refusingOldNames(deps: ModuleDeps, name: string, file: string): ModuleDeps {
  for (const [gone, instead] of Object.entries(GONE)) {
    const get = (): never => {
      throw new UsageError(
        `backends.${name}.module: ${file} uses \`${gone}\`, which modules no longer get: use ${instead} instead (docs/BACKENDS.md)`,
      )
    }
    Object.defineProperty(deps, gone, { get, enumerable: false })
  }
  return deps
}

const factories = new Map<string, Promise<BackendFactory | undefined>>()

/** Loads each file once: a module cannot change while we run. */
export function factoryOf(file: string): Promise<BackendFactory | undefined> {
  const loading =
    factories.get(file) ??
    (import(pathToFileURL(file).href) as Promise<{ backend?: BackendFactory }>).then(({ backend }) => backend)
  if (!factories.has(file)) loadedAs.set(file, hashOf(file))
  factories.set(file, loading)
  return loading
}

/** Files as they were when they were loaded. */
const loadedAs = new Map<string, string>()

function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex')
  } catch {
    return ''
  }
}

/** Whether its file is another one than the code that runs. */
export function isCodeOld({ module }: Pick<ConfiguredModule, 'module'>): boolean {
  const file = sampleModule(module) ?? resolve(module)
  return loadedAs.has(file) && loadedAs.get(file) !== hashOf(file)
}

export interface LoadedModule {
  name: string
  module: BackendModule
}

/** The modules that say themselves what they can be asked. */
export function declaredBy(modules: readonly LoadedModule[]): { name: string; operations: object }[] {
  return modules.flatMap(({ name, module }) => (module.declares ? [{ name, operations: module.declares }] : []))
}

/** The modules of the settings, in their order. */
export async function configuredModules(
  settings: Pick<Settings, 'backends' | 'reminders' | 'dialogue' | 'smsHooks'>,
  host: Omit<ModuleHost, 'settings'>,
): Promise<LoadedModule[]> {
  const loaded: LoadedModule[] = []
  for (const [name, how] of Object.entries(settings.backends))
    if ('module' in how) loaded.push({ name, module: await loadModule(name, how, { ...host, settings }) })
  return loaded
}

/** Samples that the settings do not use. Every database has their tables, so they may have rows. */
export async function absentSamples(settings: Settings, host: Omit<ModuleHost, 'settings'>): Promise<LoadedModule[]> {
  const present = new Set(Object.values(settings.backends).map((how) => ('module' in how ? how.module : undefined)))
  const absent = sampleModules.filter((sample) => !present.has(sample))
  const load = async (name: string) => loadModule(name, { module: name, settings: {} }, { ...host, settings })
  return Promise.all(absent.map(async (name) => ({ name, module: await load(name) })))
}

export function moduleDeps(name: string, own: Record<string, unknown>, host: ModuleHost): ModuleDeps {
  const { settings, sql, clock, chance, log, metrics } = host
  const { reminders, dialogue } = settings
  const database = moduleDatabase(sql)
  return {
    ...database,
    name,
    settings: own,
    readSettings(schema) {
      const read = schema.safeParse(own)
      if (read.success) return read.data
      const where = `backends.${name}.settings`
      throw new ProblemsError(
        where,
        read.error.issues.map(({ path, message }) => ({ where: [where, ...path].join('.'), what: message })),
      )
    },
    clock,
    chance,
    log,
    counters: eventCounters(name, metrics),
    sms: moduleSms(clock, { owner: `module:${name}`, hook: hookOf(settings.smsHooks, `module:${name}`) }),
    reminders: {
      confirmation: reminders.confirmation,
      leads: reminders.leads,
      quietHours: reminders.quietHours,
    },
    dialogue: { totalMs: dialogue.totalMs },
    refuse: (refusal, data) => new Refusal(refusal, data),
    subscriberIn: (tables) => subscriberIn(database, tables),
  }
}

/** How many different events one module may count: more label values are a mistake, and cost memory. */
const EVENTS_MAX = 50

function eventCounters(backend: string, metrics: Counters): ModuleDeps['counters'] {
  const known = new Set<string>()
  return {
    count(event, by = 1) {
      const isTold = known.has(event) || known.size < EVENTS_MAX
      if (isTold) known.add(event)
      else metrics.count('limits_total', { limit: 'module-events' })
      metrics.count('module_events_total', { backend, event: isTold ? event : 'other' }, by)
    },
  }
}

export function moduleDatabase(sql: Sql): ModuleDatabase {
  return { sql: sqlPort(sql), transaction: (run) => sql.transaction((trx) => run(sqlPort(trx))) }
}

function sqlPort(on: SqlRunner): SqlPort {
  return <Row>(text: string, bindings: SqlBindings = {}, options: SqlOptions = {}) =>
    on.run(preparedOnce(text, options), bindings) as Promise<Row[]>
}

/** How many named statements are cached: more names are a mistake, and cost memory of the server too. */
const NAMED_MAX = 1_000
const named = new Map<string, { written: string; prepared: PreparedStatement }>()

function preparedOnce(written: string, { name = '', mayShare = false }: SqlOptions): PreparedStatement {
  const known = named.get(name)
  if (known?.written === written && known.prepared.mayShare === mayShare) return known.prepared
  const prepared = prepareSql(name, written, { mayShare })
  if (name !== '' && named.size < NAMED_MAX) named.set(name, { written, prepared })
  return prepared
}

export function moduleSms(clock: Clock, of: SmsModule): ModuleSms {
  return {
    insertSql: WRITE_SMS,
    cancelSql: CANCEL_SMS,
    binding: (sms) => smsBinding(sms, of, clock),
    plan: planSms,
    async enqueue(sql, { subject, msisdn, line, sms }) {
      const owner = `SELECT CAST(:subject AS text) AS subject, CAST(:msisdn AS text) AS msisdn, CAST(:line AS text) AS line`
      const bindings = { subject, msisdn, line, sms: smsBinding(sms, of, clock), now: new Date(clock.now()) }
      await sql(`WITH owner AS (${owner}) ${WRITE_SMS}`, bindings, { name: 'module-enqueue-sms' })
    },
    async cancel(sql, subject) {
      const gone = 'SELECT CAST(:subject AS text) AS subject'
      const bindings = { subject, now: new Date(clock.now()) }
      await sql(`WITH gone AS (${gone}) ${CANCEL_SMS}`, bindings, { name: 'module-cancel-sms' })
    },
  }
}

/** A name in the form for a statement. */
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

export function subscriberIn(
  { transaction }: Pick<ModuleDatabase, 'transaction'>,
  tables: readonly PersonalTable[],
): SubscriberData {
  return {
    export: (msisdn) =>
      transaction(async (sql) => {
        const found: Record<string, object[]> = {}
        for (const { table, column, shown } of tables) {
          const columns = shown?.map(quoted).join(', ') ?? '*'
          found[table] = await sql(`SELECT ${columns} FROM ${quoted(table)} WHERE ${quoted(column)} = :msisdn`, {
            msisdn,
          })
        }
        return found
      }),
    erase: (msisdn) =>
      transaction(async (sql) => {
        let rows = 0
        for (const { table, column } of tables) {
          const gone = `WITH gone AS (DELETE FROM ${quoted(table)} WHERE ${quoted(column)} = :msisdn RETURNING 1)`
          const [counted] = await sql<{ n: number }>(`${gone} SELECT CAST(count(*) AS integer) AS n FROM gone`, {
            msisdn,
          })
          rows += counted!.n
        }
        return rows
      }),
  }
}

/** The replies of a module in the form for SMS. */
export function smsSubject({ subject, reply, languageOf }: SmsReplies): SmsSubject {
  return {
    name: subject,
    reply: (trx, about) => reply(sqlPort(trx), about),
    languageOf: (on, msisdn) => languageOf(sqlPort(on), msisdn),
  }
}
