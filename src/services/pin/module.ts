/**
 * PINs of subscribers: kept as scrypt hashes, tried a bounded number of times, then locked for a while. A back end
 * module; the flow asks with `secret: true`.
 */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { type Sql, type SqlRunner, statement } from '../../base/index.ts'
import { Refusal, type BackendModule, type CallContext } from '../../backend/index.ts'
import type { Clock, Json, JsonObject } from '../../ussd/index.ts'

export interface PinSettings {
  /** Digits of a PIN. */
  digits: { min: number; max: number }
  /** Wrong tries in a row before it is locked. */
  tries: number
  /** How long it is locked, milliseconds. */
  lockMs: number
}

export const PIN_DEFAULTS: PinSettings = { digits: { min: 4, max: 6 }, tries: 3, lockMs: 3_600_000 }

export interface PinDeps {
  sql: Sql
  clock: Clock
  counters: { count(name: 'pin_total', labels: { result: string }): void }
  settings: PinSettings
}

/** 16 MiB and some 40 ms: four digits are few, so the lock-out protects the line and this a stolen table a little. */
const COST: ScryptOptions = { N: 16_384, r: 8, p: 1 }
const HASH_OCTETS = 32
const SALT_OCTETS = 16

interface Row {
  salt: Buffer | null
  hash: Buffer | null
  proposed_salt: Buffer | null
  proposed_hash: Buffer | null
  proposed_in: string | null
  verified_in: string | null
  wrong: number
  locked_until: Date | null
  intention: string | null
  outcome: string | null
}

/** The row, locked until the transaction ends; made if there is none. */
const OPEN = statement<Row>(
  'pin-open',
  `
  INSERT INTO pin (msisdn, changed_at) VALUES (:msisdn, CAST(:now AS timestamptz))
  ON CONFLICT (msisdn) DO UPDATE SET msisdn = excluded.msisdn
  RETURNING salt, hash, proposed_salt, proposed_hash, proposed_in, verified_in, wrong, locked_until, intention, outcome`,
)

const KNOWN = statement<{ known: boolean }>(
  'pin-known',
  `
  SELECT hash IS NOT NULL AS known FROM pin WHERE msisdn = :msisdn`,
)

const NOTE = statement(
  'pin-note',
  `
  UPDATE pin SET intention = :intention, outcome = :outcome WHERE msisdn = :msisdn`,
)

const TRIED = statement(
  'pin-tried',
  `
  UPDATE pin SET wrong = CAST(:wrong AS integer), locked_until = CAST(:locked AS timestamptz),
    verified_in = CAST(:verified AS text), intention = :intention, outcome = :outcome
  WHERE msisdn = :msisdn`,
)

const PROPOSE = statement(
  'pin-propose',
  `
  UPDATE pin SET proposed_salt = CAST(:salt AS bytea), proposed_hash = CAST(:hash AS bytea), proposed_in = :epoch,
    intention = :intention, outcome = :outcome
  WHERE msisdn = :msisdn`,
)

const SET = statement(
  'pin-set',
  `
  UPDATE pin SET salt = proposed_salt, hash = proposed_hash, wrong = 0, locked_until = NULL,
    changed_at = CAST(:now AS timestamptz), proposed_salt = NULL, proposed_hash = NULL, proposed_in = NULL,
    intention = :intention, outcome = :outcome
  WHERE msisdn = :msisdn`,
)

const FORGET = statement(
  'pin-forget-proposed',
  `
  UPDATE pin SET proposed_salt = NULL, proposed_hash = NULL, proposed_in = NULL,
    intention = :intention, outcome = :outcome
  WHERE msisdn = :msisdn`,
)

type Trying = { pin: string; trx: SqlRunner; row: Row; context: CallContext }

/**
 * `verify { pin }` answers {}; refuses `wrong` with `{ left }`, the tries that are left, `locked`, `unset`.
 * `propose { pin }` takes down a new PIN; refuses `weak` (not so many digits, all alike, or in a row), and `unverified`
 * where there is one that this dialogue has not verified.
 * `confirm { pin }` sets it if it is the proposed one; refuses `differs`. `known {}` answers { set }.
 */
export function pins(deps: PinDeps): BackendModule {
  const { settings, clock, counters } = deps

  /** One row, locked: two dialogues of one number cannot try at once. The same turn again is answered as it was. */
  function trying(how: (deps: PinDeps, trying: Trying) => Promise<string>) {
    return async (args: JsonObject, context: CallContext): Promise<Json | Refusal> => {
      const pin = typeof args.pin === 'string' || typeof args.pin === 'number' ? String(args.pin) : ''
      return deps.sql.transaction(async (trx) => {
        const { msisdn, intention } = context
        const row = (await OPEN(trx, { msisdn, now: new Date(clock.now()) }))[0]!
        if (row.intention === intention && row.outcome !== null) return answered(row.outcome, row)
        const outcome = await how(deps, { pin, trx, row, context })
        counters.count('pin_total', { result: outcome })
        return answered(outcome, row)
      })
    }
  }

  function answered(outcome: string, { wrong }: Row): Json | Refusal {
    return outcome === 'ok' ? {} : new Refusal(outcome, outcome === 'wrong' ? { left: settings.tries - wrong } : null)
  }

  return {
    operations: {
      verify: trying(verify),
      propose: trying(propose),
      confirm: trying(confirm),
      known: async (_args, { msisdn }) => {
        const [row] = await KNOWN(deps.sql, { msisdn })
        return { set: row?.known ?? false }
      },
    },
  }
}

/** Keeps what came of it, and nothing else. */
async function noted({ trx, context }: Trying, outcome: string): Promise<string> {
  await NOTE(trx, { msisdn: context.msisdn, intention: context.intention, outcome })
  return outcome
}

async function verify({ settings, clock }: PinDeps, trying: Trying): Promise<string> {
  const { pin, trx, row, context } = trying
  if (!row.hash || !row.salt) return noted(trying, 'unset')
  if (row.locked_until && row.locked_until.getTime() > clock.now()) return noted(trying, 'locked')
  const right = await matches(pin, row.salt, row.hash)
  const wrong = right ? 0 : row.wrong + 1
  const locks = wrong >= settings.tries
  row.wrong = locks ? 0 : wrong
  const outcome = right ? 'ok' : locks ? 'locked' : 'wrong'
  const { msisdn, intention, epoch } = context
  const locked = locks ? new Date(clock.now() + settings.lockMs) : null
  await TRIED(trx, { msisdn, wrong: row.wrong, locked, verified: right ? epoch : null, intention, outcome })
  return outcome
}

async function propose({ settings }: PinDeps, trying: Trying): Promise<string> {
  const { pin, trx, row, context } = trying
  const { msisdn, intention, epoch } = context
  if (row.hash && row.verified_in !== epoch) return noted(trying, 'unverified')
  if (isWeak(pin, settings.digits)) return noted(trying, 'weak')
  const salt = randomBytes(SALT_OCTETS)
  await PROPOSE(trx, { msisdn, salt, hash: await hashOf(pin, salt), epoch, intention, outcome: 'ok' })
  return 'ok'
}

async function confirm({ clock }: PinDeps, { pin, trx, row, context }: Trying): Promise<string> {
  const { proposed_salt: salt, proposed_hash: hash } = row
  const { msisdn, intention, epoch } = context
  const isSame = row.proposed_in === epoch && salt !== null && hash !== null && (await matches(pin, salt, hash))
  const outcome = isSame ? 'ok' : 'differs'
  if (isSame) await SET(trx, { msisdn, now: new Date(clock.now()), intention, outcome })
  else await FORGET(trx, { msisdn, intention, outcome })
  return outcome
}

/** Too short, too long, no digits, one digit over and over, or digits that count up or down. */
export function isWeak(pin: string, { min, max }: PinSettings['digits']): boolean {
  if (!/^\d+$/.test(pin) || pin.length < min || pin.length > max) return true
  const steps = new Set([...pin].slice(1).map((digit, i) => Number(digit) - Number(pin[i])))
  return steps.size === 1 && [0, 1, -1].includes([...steps][0] as number)
}

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

async function hashOf(pin: string, salt: Buffer): Promise<Buffer> {
  return derive(pin, salt, HASH_OCTETS, COST)
}

async function matches(pin: string, salt: Buffer, hash: Buffer): Promise<boolean> {
  return timingSafeEqual(await hashOf(pin, salt), hash)
}
