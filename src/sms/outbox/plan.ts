/** SMS of a module, asked for in the same words as everybody's. Pure: words and the present in, rows out. */
import type { NewSms, SmsPlanning, ModuleSmsRequest } from '../../plugin/index.ts'
import { classOf, quietZoneOf, whenOf } from '../terms/index.ts'

/**
 * The earliest first. Of two that say the same and leave together one is left. One before an event is of no use once
 * the next before the same event leaves, and is left out if its moment is over: the subscriber has just been told.
 * Throws a TypeError if the words are wrong.
 */
export function planSms(wishes: readonly ModuleSmsRequest[], { nowMs, zone, quietHours }: SmsPlanning): NewSms[] {
  const planned = wishes.flatMap((wish) => {
    const { text, key, before } = wish
    const of = classOf(wish)
    const when = whenOf(wish, { class: of, zone, quietHours, nowMs })
    if (when.is === 'wrong') throw new TypeError(`SMS '${key ?? of}': ${when.what}`)
    if (when.is === 'past' || (before && when.leavesMs <= nowMs)) return []
    const { dueMs, leavesMs, expiresMs } = when
    const sms = { kind: wish.kind ?? of, ...(key === undefined ? {} : { key }), text, dueMs, leavesMs, expiresMs }
    return [{ sms: { ...sms, quietZone: quietZoneOf(wish, zone) }, event: before?.of }]
  })
  const once = new Map(planned.map((one) => [JSON.stringify([one.sms.text, one.sms.leavesMs]), one]))
  const all = [...once.values()].toSorted((a, b) => a.sms.leavesMs - b.sms.leavesMs)
  return all.map(({ sms, event }, n) => {
    const next = event === undefined ? undefined : all.slice(n + 1).find((one) => one.event === event)
    return next ? { ...sms, expiresMs: next.sms.leavesMs } : sms
  })
}
