/** What subscribers write back to a reminder of a visit: 1 confirms it, 2 cancels it. */
import {
  preparedSql,
  type ModuleDeps,
  type SmsReplied,
  type SmsReplies,
  type SmsReply,
} from '../../src/plugin/index.ts'
import { cancelVisit, CANCELLED_BEFORE, VISIT, type VisitRow } from './appointments.ts'
import { smsText, type AppointmentTexts, type Wordings } from './texts.ts'

/** The first word of the subjects of this service's SMS. */
const DENTAL = 'dental'

const ABOUT = preparedSql<VisitRow & { language: string }>(
  'dental-about',
  `
  SELECT a.id, a.status, p.language, ${VISIT.replaceAll(':language', 'p.language')}
  FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot JOIN dental_clinic c ON c.id = s.clinic
    JOIN dental_profile p ON p.msisdn = a.msisdn
  WHERE a.id = CAST(:appointment AS bigint) AND a.msisdn = :msisdn FOR UPDATE OF a`,
)

const CONFIRM = preparedSql<{ id: string }>(
  'dental-confirm',
  `
  UPDATE dental_appointment SET confirmed_at = COALESCE(confirmed_at, CAST(:now AS timestamptz))
  WHERE id = CAST(:appointment AS bigint) AND status = 'booked' RETURNING id`,
)

const LANGUAGE = preparedSql<{ language: string }>(
  'dental-language-of',
  `
  SELECT language FROM dental_profile WHERE msisdn = :msisdn`,
)

export function dentalReplies({ clock, sms }: Pick<ModuleDeps, 'clock' | 'sms'>, wordings: Wordings): SmsReplies {
  const cancel = cancelVisit(sms)
  return {
    subject: DENTAL,
    async languageOf(sql, msisdn) {
      const [row] = await LANGUAGE(sql, { msisdn })
      return row?.language ?? null
    },
    async reply(sql, about) {
      if (about.words !== '1' && about.words !== '2') return null
      const { id: appointment, msisdn } = about
      const [row] = /^\d{1,18}$/.test(appointment) ? await ABOUT(sql, { appointment, msisdn }) : []
      if (!row) return null
      const visit = { type: row.type, clinic: row.clinic, startsMs: row.starts_at.getTime(), zone: row.zone }
      const told = (what: string, kind: keyof AppointmentTexts): SmsReplied => ({
        what,
        text: smsText(wordings, kind, visit, row.language),
      })
      if (about.words === '2' && (await cancelled())) return told('cancelled', 'cancelled')
      if (row.status === 'cancelled') return told('cancelled', 'cancelled')
      if (visit.startsMs <= about.todayMs || about.words === '2') return told('late', 'late')
      await CONFIRM(sql, { appointment, now: new Date(clock.now()) })
      return told('confirmed', 'attending')

      async function cancelled(): Promise<boolean> {
        const one = { appointment, msisdn, intention: intentionOf(about) }
        const [done] = await cancel(sql, { ...one, now: new Date(clock.now()), today: new Date(about.todayMs) })
        return done !== undefined || (await CANCELLED_BEFORE(sql, one)).length > 0
      }
    },
  }
}

function intentionOf(about: SmsReply): string {
  return `${about.intention}:${about.words}`
}
