/**
 * PINs of subscribers. They are stored as scrypt hashes; after a limited number of wrong tries a PIN is locked for a
 * while. A back end module; the flow asks with `secret: true`.
 */
import { createHmac, hkdfSync, randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { type Sql, type SqlRunner, statement } from '../../base/index.ts'
import { Refusal, type BackendModule, type CallContext } from '../../backend/index.ts'
import type { Clock, Json, JsonObject } from '../../ussd/index.ts'

export interface PinSettings {
  /** Digits of a PIN. */
  digits: { min: number; max: number }
  /** How many wrong tries in a row lock it. */
  tries: number
  /** How long it stays locked the first time, in milliseconds. Each further time it is twice as long. */
  lockMs: number
  /** How long it stays locked at most. */
  lockMaxMs: number
}

export const PIN_DEFAULTS: PinSettings = {
  digits: { min: 4, max: 6 },
  tries: 3,
  lockMs: 3_600_000,
  lockMaxMs: 7 * 86_400_000,
}

export interface PinDeps {
  sql: Sql
  clock: Clock
  counters: { count(name: 'pin_total', labels: { result: string }): void }
  settings: PinSettings
  /** A secret that is not in the database: without it, a stolen table does not show which PIN a hash belongs to. */
  pepper?: Buffer | undefined
}

/** The pepper for PINs, from the key of the store's key file that stays when the others are replaced. */
export function pinPepper(names: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', names, '', 'ussd-connector pin', HASH_OCTETS))
}

/**
 * 16 MiB and some 40 ms. Four digits are few: the lock protects against guessing on the line, and this cost protects a
 * stolen table a little.
 */
const COST: ScryptOptions = { N: 16_384, r: 8, p: 1 }
const HASH_OCTETS = 32
const SALT_OCTETS = 16
/** Precedes the salt of a hash with pepper. Such a salt has one octet more than others. */
const PEPPERED = 1

interface Row {
  salt: Buffer | null
  hash: Buffer | null
  proposed_salt: Buffer | null
  proposed_hash: Buffer | null
  proposed_in: string | null
  verified_in: string | null
  /** Wrong tries since the last right one, over all locks. */
  wrong: number
  locked_until: Date | null
  intention: string | null
  outcome: string | null
}

/** The row, locked until the transaction ends. It is created if it does not exist. */
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
  { mayShare: true },
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

/** A PIN that was set before there was a key file. */
const RENEW = statement(
  'pin-renew',
  `
  UPDATE pin SET salt = CAST(:salt AS bytea), hash = CAST(:hash AS bytea) WHERE msisdn = :msisdn`,
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
 * `verify { pin }` answers {}. It refuses with `wrong` and `{ left }` (the tries that are left), with `locked`, or with
 * `unset`.
 * `propose { pin }` stores a new PIN for confirmation. It refuses with `weak` (wrong number of digits, all the same, or
 * in a row), or with `unverified` if there is a PIN that this dialogue has not verified.
 * `confirm { pin }` sets the PIN if it is the proposed one; it refuses with `differs`. `known {}` answers { set }.
 */
export function pins(deps: PinDeps): BackendModule {
  const { settings, clock, counters } = deps

  /**
   * Locks one row: two dialogues of one number cannot try at once. A repeated call of the same turn gets the same
   * answer.
   */
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
    return outcome === 'ok'
      ? {}
      : new Refusal(outcome, outcome === 'wrong' ? { left: settings.tries - (wrong % settings.tries) } : null)
  }

  return {
    declares: {
      known: { does: 'reads', answers: { set: 'boolean' }, refusals: {} },
      // A wrong PIN counts as a try: made twice, it would count twice.
      verify: { does: 'changes', refusals: { wrong: { left: { is: 'number', min: 0 } }, locked: {}, unset: {} } },
      // Proposing the same PIN again changes nothing.
      propose: { does: 'reads', refusals: { weak: {}, unverified: {} } },
      confirm: { does: 'changes', refusals: { differs: {} } },
    },
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

/** Stores the outcome, and nothing else. */
async function noted({ trx, context }: Trying, outcome: string): Promise<string> {
  await NOTE(trx, { msisdn: context.msisdn, intention: context.intention, outcome })
  return outcome
}

async function verify(deps: PinDeps, trying: Trying): Promise<string> {
  const { settings, clock, pepper } = deps
  const { pin, trx, row, context } = trying
  if (!row.hash || !row.salt) return noted(trying, 'unset')
  if (row.locked_until && row.locked_until.getTime() > clock.now()) return noted(trying, 'locked')
  const right = await matches(pin, row.salt, row.hash, pepper)
  row.wrong = right ? 0 : row.wrong + 1
  const locks = !right && row.wrong % settings.tries === 0
  const outcome = right ? 'ok' : locks ? 'locked' : 'wrong'
  const { msisdn, intention, epoch } = context
  const locked = locks ? new Date(clock.now() + lockOf(row.wrong / settings.tries, settings)) : null
  if (right && pepper && !isPeppered(row.salt)) await RENEW(trx, { msisdn, ...(await stored(pin, pepper)) })
  await TRIED(trx, { msisdn, wrong: row.wrong, locked, verified: right ? epoch : null, intention, outcome })
  return outcome
}

/** Each lock in a row is twice as long as the one before. */
function lockOf(times: number, { lockMs, lockMaxMs }: PinSettings): number {
  return Math.min(Math.max(lockMs, lockMaxMs), lockMs * 2 ** (times - 1))
}

async function propose({ settings, pepper }: PinDeps, trying: Trying): Promise<string> {
  const { pin, trx, row, context } = trying
  const { msisdn, intention, epoch } = context
  if (row.hash && row.verified_in !== epoch) return noted(trying, 'unverified')
  if (isWeak(pin, settings.digits)) return noted(trying, 'weak')
  await PROPOSE(trx, { msisdn, ...(await stored(pin, pepper)), epoch, intention, outcome: 'ok' })
  return 'ok'
}

async function confirm({ clock, pepper }: PinDeps, { pin, trx, row, context }: Trying): Promise<string> {
  const { proposed_salt: salt, proposed_hash: hash } = row
  const { msisdn, intention, epoch } = context
  const isSame = row.proposed_in === epoch && salt !== null && hash !== null && (await matches(pin, salt, hash, pepper))
  const outcome = isSame ? 'ok' : 'differs'
  if (isSame) await SET(trx, { msisdn, now: new Date(clock.now()), intention, outcome })
  else await FORGET(trx, { msisdn, intention, outcome })
  return outcome
}

/** Too short, too long, not digits, one digit repeated, or digits that count up or down. */
export function isWeak(pin: string, { min, max }: PinSettings['digits']): boolean {
  if (!/^\d+$/.test(pin) || pin.length < min || pin.length > max) return true
  const steps = new Set([...pin].slice(1).map((digit, i) => Number(digit) - Number(pin[i])))
  return steps.size === 1 && [0, 1, -1].includes([...steps][0] as number)
}

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** A new salt, and the hash with it. */
async function stored(pin: string, pepper: Buffer | undefined): Promise<{ salt: Buffer; hash: Buffer }> {
  const random = randomBytes(SALT_OCTETS)
  const salt = pepper ? Buffer.concat([Buffer.from([PEPPERED]), random]) : random
  return { salt, hash: await hashOf(pin, salt, pepper) }
}

function isPeppered(salt: Buffer): boolean {
  return salt.length === SALT_OCTETS + 1 && salt[0] === PEPPERED
}

async function hashOf(pin: string, salt: Buffer, pepper: Buffer | undefined): Promise<Buffer> {
  if (!isPeppered(salt)) return derive(pin, salt, HASH_OCTETS, COST)
  // No try is counted: the subscriber cannot help it.
  if (!pepper) throw new Error('this PIN needs the key file with which it was set (privacy.storeKeyFile)')
  return derive(createHmac('sha256', pepper).update(pin).digest('base64'), salt, HASH_OCTETS, COST)
}

async function matches(pin: string, salt: Buffer, hash: Buffer, pepper: Buffer | undefined): Promise<boolean> {
  return timingSafeEqual(await hashOf(pin, salt, pepper), hash)
}
