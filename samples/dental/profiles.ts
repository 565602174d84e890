/** The subscribers: name and language. */
import { preparedSql, Refusal, type BackendModule } from '../../src/plugin/index.ts'
import { safely, shortText, type DentalDeps } from './settings.ts'

const FIND = preparedSql<{ name: string; language: string }>(
  'dental-profile',
  `
  SELECT name, language FROM dental_profile WHERE msisdn = :msisdn`,
  { mayShare: true },
)

// The intention distinguishes a repeat of the same registration from a later change of name.
const REGISTER = preparedSql<{ name: string }>(
  'dental-register',
  `
  INSERT INTO dental_profile (msisdn, name, language, intention, created_at)
  VALUES (:msisdn, :name, :language, :intention, :now)
  ON CONFLICT (msisdn) DO UPDATE SET name = excluded.name, intention = excluded.intention
  RETURNING name`,
  { mayShare: true },
)

const SPEAK = preparedSql(
  'dental-language',
  `
  UPDATE dental_profile SET language = :language WHERE msisdn = :msisdn`,
  { mayShare: true },
)

/** Letters of any script, blanks, apostrophe, hyphen, full stop. */
const NAME = /^[\p{L}\p{M} .'’-]{2,40}$/u
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$/

/** Operations `profile`, `register` and `language`. */
export function profiles(deps: DentalDeps): BackendModule['operations'] {
  const { sql, clock } = deps
  return {
    async profile(_args, context) {
      const [row] = await safely(deps, context, () => FIND(sql, { msisdn: context.msisdn }))
      return row ? { known: true, ...row } : { known: false, name: '', language: context.language }
    },

    async register(args, context) {
      const name = shortText(args, 'name').trim().replace(/\s+/g, ' ')
      if (!NAME.test(name)) return new Refusal('bad-name')
      const { msisdn, language, intention } = context
      const row = { msisdn, name, language, intention, now: new Date(clock.now()) }
      const [kept] = await safely(deps, context, () => REGISTER(sql, row))
      return { name: kept!.name }
    },

    async language(args, context) {
      const language = shortText(args, 'language')
      if (!LANGUAGE.test(language)) return new Refusal('bad-language')
      await safely(deps, context, () => SPEAK(sql, { msisdn: context.msisdn, language }))
      return {}
    },
  }
}
