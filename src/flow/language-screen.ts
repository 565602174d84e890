/** `language`: a menu of the flow's languages by their own names, and the call that remembers the one chosen. */
import type { LanguageScreen, ScreenDefinition } from './definition.ts'

/** The back end of the daemon itself: what it keeps of a subscriber. No back end of the settings can be called so. */
export const SUBSCRIBER = '_subscriber'

/** Languages by their own names. A table, not the engine's list: a name is a part of the revision. */
const OWN_NAMES: Record<string, string> = {
  af: 'Afrikaans', am: 'አማርኛ', ar: 'العربية', bi: 'Bislama', bn: 'বাংলা', de: 'Deutsch', en: 'English', es: 'Español',
  fil: 'Filipino', fj: 'Vosa Vakaviti', fr: 'Français', ha: 'Hausa', hi: 'हिन्दी', ho: 'Hiri Motu', id: 'Bahasa Indonesia',
  ig: 'Igbo', km: 'ខ្មែរ', ln: 'Lingála', lo: 'ລາວ', mg: 'Malagasy', mr: 'मराठी', ms: 'Bahasa Melayu', my: 'မြန်မာ',
  ne: 'नेपाली', ny: 'Chichewa', om: 'Afaan Oromoo', pis: 'Pijin', pt: 'Português', ru: 'Русский', rw: 'Ikinyarwanda',
  si: 'සිංහල', sm: 'Gagana Samoa', sn: 'chiShona', so: 'Soomaali', st: 'Sesotho', sw: 'Kiswahili', ta: 'தமிழ்',
  te: 'తెలుగు', th: 'ไทย', ti: 'ትግርኛ', tn: 'Setswana', tpi: 'Tok Pisin', ur: 'اردو', vi: 'Tiếng Việt', wo: 'Wolof',
  xh: 'isiXhosa', yo: 'Yorùbá', zh: '中文', zu: 'isiZulu',
}

/** What a language is called by those who speak it; undefined: not known here. */
export function ownName(language: string, names: Readonly<Record<string, string>> = {}): string | undefined {
  const known = names[language] ?? OWN_NAMES[language]
  return known ?? OWN_NAMES[language.split('-')[0] as string]
}

/** The screens that it becomes: a menu of that name, and a call behind it. */
export function languageScreens(
  name: string, screen: LanguageScreen, languages: readonly string[],
): Record<string, ScreenDefinition> {
  const { to, back, keys, labels, names } = screen
  const keep = `${name}_keep`
  const said = (words: string) => Object.fromEntries(languages.map((language) => [language, words]))
  const choices = languages.map((language) => ({
    label: said(ownName(language, names) ?? language), to: keep, set: { language },
  }))
  const own = Object.fromEntries(Object.entries({ back, keys, labels }).filter(([, value]) => value !== undefined))
  return {
    [name]: { kind: 'menu', menu: screen.language, choices, ...own },
    [keep]: { kind: 'call', call: `${SUBSCRIBER}.language`, with: { language: '{language}' }, once: false, to, failed: to },
  }
}
