/** `language`: a menu of the flow's languages by their own names, and the call that stores the chosen one. */
import { z } from 'zod'
import { language, name, text, type Path } from '../terms/index.ts'
import { back, keys, labels } from './choices.ts'
import type { Expanded, ScreenType } from './screen-type.ts'

const schema = z
  .strictObject({
    language: text.describe('The text above the languages of the flow; each language has its own name for itself.'),
    to: name.describe('The screen that comes after the choice.'),
    names: z
      .record(language, z.string().min(1))
      .optional()
      .meta({ title: '`{ language: name }`' })
      .describe('Names that replace the built-in ones.'),
    back,
    keys,
    labels,
  })
  .describe('Lets the subscriber choose the language. The next dialogue starts in it.')

/**
 * The daemon's own back end for what it stores about a subscriber. A back end of the settings cannot have this name.
 */
export const SUBSCRIBER = '_subscriber'
/** Repeating this call changes nothing further. But dialled digits must not make it. */
export const KEEP_LANGUAGE = `${SUBSCRIBER}.language`

/** Languages by their own names. A table, not the list of the JavaScript engine: a name is a part of the revision. */
const OWN_NAMES: Record<string, string> = {
  af: 'Afrikaans',
  am: 'አማርኛ',
  ar: 'العربية',
  bi: 'Bislama',
  bn: 'বাংলা',
  de: 'Deutsch',
  en: 'English',
  es: 'Español',
  fil: 'Filipino',
  fj: 'Vosa Vakaviti',
  fr: 'Français',
  ha: 'Hausa',
  hi: 'हिन्दी',
  ho: 'Hiri Motu',
  id: 'Bahasa Indonesia',
  ig: 'Igbo',
  km: 'ខ្មែរ',
  ln: 'Lingála',
  lo: 'ລາວ',
  mg: 'Malagasy',
  mr: 'मराठी',
  ms: 'Bahasa Melayu',
  my: 'မြန်မာ',
  ne: 'नेपाली',
  ny: 'Chichewa',
  om: 'Afaan Oromoo',
  pis: 'Pijin',
  pt: 'Português',
  ru: 'Русский',
  rw: 'Ikinyarwanda',
  si: 'සිංහල',
  sm: 'Gagana Samoa',
  sn: 'chiShona',
  so: 'Soomaali',
  st: 'Sesotho',
  sw: 'Kiswahili',
  ta: 'தமிழ்',
  te: 'తెలుగు',
  th: 'ไทย',
  ti: 'ትግርኛ',
  tn: 'Setswana',
  tpi: 'Tok Pisin',
  ur: 'اردو',
  vi: 'Tiếng Việt',
  wo: 'Wolof',
  xh: 'isiXhosa',
  yo: 'Yorùbá',
  zh: '中文',
  zu: 'isiZulu',
}

export const languageScreen: ScreenType & { schema: typeof schema } = {
  name: 'language',
  schema,
  expand: (made, screen, languages) => screensOf(made, screen as Language, languages),
}

type Language = z.infer<typeof schema>

function screensOf(made: string, screen: Language, languages: readonly string[]): Record<string, Expanded> {
  const { language: title, to, names = {}, ...own } = screen
  const ownName = (of: string) => names[of] ?? OWN_NAMES[of] ?? OWN_NAMES[of.split('-')[0] as string]
  const nameless = languages.filter((of) => ownName(of) === undefined)
  if (languages.length === 1)
    throw new Error('the flow has only one language, so there is nothing to choose (languages:)')
  if (nameless.length > 0)
    throw new Error(`no name is known for '${nameless.join("', '")}': add names: { ${nameless[0]}: … }`)
  const keep = `${made}_keep`
  const choices = languages.map((of) => ({
    label: Object.fromEntries(languages.map((each) => [each, ownName(of) as string])),
    to: keep,
    set: { language: of },
  }))
  const place = (path: Path) => (path[0] === 'menu' ? ['language', ...path.slice(1)] : path)
  return {
    [made]: { screen: { kind: 'menu', menu: title, choices, ...own }, place },
    [keep]: {
      screen: { kind: 'call', call: KEEP_LANGUAGE, with: { language: '{language}' }, once: false, to, failed: to },
    },
  }
}
