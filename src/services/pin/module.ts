/**
 * PINs of subscribers: kept as scrypt hashes, tried a bounded number of times, then locked for a while. A back end
 * module; the flow asks with `secret: true`.
 */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import type { Knex } from 'knex'
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
  knex: Knex
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

type Trying = { pin: string; trx: Knex.Transaction; row: Row; context: CallContext }

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
      return deps.knex.transaction(async (trx) => {
        const { msisdn, intention } = context
        await trx('pin')
          .insert({ msisdn, changed_at: new Date(clock.now()) })
          .onConflict('msisdn')
          .ignore()
        const row = await trx('pin').where({ msisdn }).forUpdate().first<Row>()
        if (row.intention === intention && row.outcome !== null) return answered(row.outcome, row)
        const outcome = await how(deps, { pin, trx, row, context })
        await trx('pin').where({ msisdn }).update({ intention, outcome })
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
        const row = await deps.knex('pin').where({ msisdn }).first<Row>('hash')
        return { set: Boolean(row?.hash) }
      },
    },
  }
}

async function verify({ settings, clock }: PinDeps, { pin, trx, row, context }: Trying): Promise<string> {
  if (!row.hash || !row.salt) return 'unset'
  if (row.locked_until && row.locked_until.getTime() > clock.now()) return 'locked'
  const right = await matches(pin, row.salt, row.hash)
  const wrong = right ? 0 : row.wrong + 1
  const locks = wrong >= settings.tries
  row.wrong = locks ? 0 : wrong
  await trx('pin')
    .where({ msisdn: context.msisdn })
    .update({
      wrong: row.wrong,
      locked_until: locks ? new Date(clock.now() + settings.lockMs) : null,
      verified_in: right ? context.epoch : null,
    })
  if (right) return 'ok'
  return locks ? 'locked' : 'wrong'
}

async function propose({ settings }: PinDeps, { pin, trx, row, context }: Trying): Promise<string> {
  if (row.hash && row.verified_in !== context.epoch) return 'unverified'
  if (isWeak(pin, settings.digits)) return 'weak'
  const salt = randomBytes(SALT_OCTETS)
  await trx('pin')
    .where({ msisdn: context.msisdn })
    .update({ proposed_salt: salt, proposed_hash: await hashOf(pin, salt), proposed_in: context.epoch })
  return 'ok'
}

async function confirm({ clock }: PinDeps, { pin, trx, row, context }: Trying): Promise<string> {
  const { proposed_salt: salt, proposed_hash: hash } = row
  const same = row.proposed_in === context.epoch && salt !== null && hash !== null && (await matches(pin, salt, hash))
  const forgotten = { proposed_salt: null, proposed_hash: null, proposed_in: null }
  const set = { salt, hash, wrong: 0, locked_until: null, changed_at: new Date(clock.now()) }
  await trx('pin')
    .where({ msisdn: context.msisdn })
    .update(same ? { ...forgotten, ...set } : forgotten)
  return same ? 'ok' : 'differs'
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
